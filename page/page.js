// The dashboard. It shows what `/page/events` sends twice a second, and sends orders as any client does.

const by = (id) => document.getElementById(id)
const tradesShown = 20
let symbol = new URLSearchParams(location.search).get('symbol') ?? ''
let source
let chart
let candles = []

function connect() {
  source?.close()
  source = new EventSource(`/page/events${symbol === '' ? '' : `?symbol=${encodeURIComponent(symbol)}`}`)
  source.onopen = () => show('connected')
  source.onerror = () => show('connection lost; it is tried again')
  source.onmessage = ({ data }) => draw(JSON.parse(data))
}

function show(state) {
  if (by('state').textContent !== state) by('state').textContent = state
}

function draw(update) {
  drawSymbols(update.symbols, update.symbol)
  drawList(by('ticker'), update.ticker)
  drawList(by('health'), update.health)
  drawDepth(update)
  drawTrades(update.trades)
  drawChart(update.candles)
}

function drawSymbols(symbols, current) {
  symbol = current
  by('market-title').textContent = current || 'No symbol is served'
  const nav = by('symbols')
  if (nav.childElementCount !== symbols.length) {
    nav.replaceChildren(
      ...symbols.map((name) => {
        const button = document.createElement('button')
        button.type = 'button'
        button.textContent = name
        button.onclick = () => {
          symbol = name
          candles = []
          history.replaceState(null, '', `?symbol=${encodeURIComponent(name)}`)
          connect()
        }
        return button
      }),
    )
  }
  for (const button of nav.children)
    button.setAttribute('aria-pressed', String(button.textContent === current))
}

/** Names and values; a value that stays is not written again, so that a selection stays too. */
function drawList(list, values) {
  const names = Object.keys(values)
  if (list.childElementCount !== names.length) {
    list.replaceChildren(
      ...names.map((name) => {
        const group = document.createElement('div')
        group.append(element('dt', name), element('dd', ''))
        return group
      }),
    )
  }
  names.forEach((name, i) => {
    const cell = list.children[i].lastElementChild
    const text = String(values[name])
    if (cell.textContent !== text) cell.textContent = text
  })
}

function element(tag, text, className = '') {
  const made = document.createElement(tag)
  made.textContent = text
  if (className !== '') made.className = className
  return made
}

function drawDepth({ bids, asks }) {
  const rows = []
  const most = Math.max(...bids.map(([, size]) => Number(size)), ...asks.map(([, size]) => Number(size)), 0)
  for (let i = 0; i < Math.max(bids.length, asks.length); i++) {
    const row = document.createElement('tr')
    const [bid, bidSize] = bids[i] ?? ['', '']
    const [ask, askSize] = asks[i] ?? ['', '']
    row.append(
      bar(bidSize, most, 'bid', 'left'),
      element('td', bid, 'bid'),
      element('td', ask, 'ask'),
      bar(askSize, most, 'ask', 'right'),
    )
    rows.push(row)
  }
  by('depth').tBodies[0].replaceChildren(...rows)
}

function bar(size, most, side, from) {
  const cell = element('td', size, `bar ${side}`)
  const part = most === 0 || size === '' ? 0 : (Number(size) / most) * 100
  cell.style.backgroundImage = `linear-gradient(to ${from}, var(--${side}-back) ${part}%, transparent ${part}%)`
  return cell
}

function drawTrades(trades) {
  const rows = trades
    .slice(-tradesShown)
    .reverse()
    .map((trade) => {
      const row = document.createElement('tr')
      const side = trade.side === 'buy' ? 'bid' : 'ask'
      row.append(
        element('td', new Date(trade.timeMs).toISOString().slice(11, 19)),
        element('td', trade.side === 'buy' ? 'buys' : 'sells', side),
        element('td', trade.price, side),
        element('td', trade.quantity),
      )
      return row
    })
  by('trades').tBodies[0].replaceChildren(...rows)
}

/** Adds to the candles that are there those that changed, and draws them: from low to high a line, from open to close a body. */
function drawChart(changed) {
  for (const candle of changed) {
    const last = candles.at(-1)
    if (last && last[0] === candle[0]) candles[candles.length - 1] = candle
    else if (!last || candle[0] > last[0]) candles.push(candle)
  }
  if (candles.length === 0 || typeof uPlot === 'undefined') return
  const data = [0, 1, 2, 3, 4].map((field) => candles.map((candle) => candle[field]))
  const width = by('chart').clientWidth
  if (!chart) chart = makeChart(data, width)
  else {
    chart.setData(data)
    if (chart.width !== width) chart.setSize({ width, height: 260 })
  }
}

function makeChart(data, width) {
  const axis = {
    stroke: () => style('--soft'),
    grid: { stroke: () => style('--line') },
    ticks: { stroke: () => style('--line') },
  }
  const hidden = { show: true, paths: () => null, points: { show: false } }
  return new uPlot(
    {
      width,
      height: 260,
      cursor: { drag: { x: false, y: false } },
      legend: { live: true },
      scales: {
        y: {
          range: (_, least, most) => [
            least - (most - least) * 0.05,
            most + (most - least) * 0.05 || most + 1,
          ],
        },
      },
      axes: [axis, { ...axis, size: 80 }],
      series: [
        { label: 'Time' },
        { label: 'Open', ...hidden },
        { label: 'High', ...hidden },
        { label: 'Low', ...hidden },
        { label: 'Close', ...hidden },
      ],
      hooks: { draw: [drawCandles] },
    },
    data,
    by('chart'),
  )
}

function drawCandles(plot) {
  const { ctx, data, bbox } = plot
  const [times, opens, highs, lows, closes] = data
  const body = Math.max(1, Math.min(12, (bbox.width / times.length) * 0.7))
  ctx.save()
  for (let i = 0; i < times.length; i++) {
    const rises = closes[i] >= opens[i]
    const x = plot.valToPos(times[i], 'x', true)
    const y = (price) => plot.valToPos(price, 'y', true)
    ctx.strokeStyle = ctx.fillStyle = style(rises ? '--bid' : '--ask')
    ctx.beginPath()
    ctx.moveTo(x, y(highs[i]))
    ctx.lineTo(x, y(lows[i]))
    ctx.stroke()
    const top = y(Math.max(opens[i], closes[i]))
    const height = Math.max(1, y(Math.min(opens[i], closes[i])) - top)
    // Bodies of candles that rise are hollow: colour alone says nothing.
    if (rises) ctx.strokeRect(x - body / 2, top, body, height)
    else ctx.fillRect(x - body / 2, top, body, height)
  }
  ctx.restore()
}

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

async function sendOrder(form) {
  const { apiKey, secret, side, type, quantity, price } = Object.fromEntries(new FormData(form))
  const values = {
    symbol,
    side,
    type,
    quantity,
    ...(type === 'LIMIT' && { price, timeInForce: 'GTC' }),
    timestamp: Date.now(),
  }
  const query = new URLSearchParams(values).toString()
  const bytes = new TextEncoder()
  const key = await crypto.subtle.importKey(
    'raw',
    bytes.encode(secret),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  )
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes.encode(query)))
  const text = [...signature].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const answer = await fetch(`/api/v3/order?${query}&signature=${text}`, {
    method: 'POST',
    headers: { 'X-MBX-APIKEY': apiKey },
  })
  const body = await answer.json()
  return answer.ok
    ? `Order ${body.orderId}: ${body.status}, ${body.executedQty} executed`
    : `${body.code}: ${body.msg}`
}

by('ticket').addEventListener('submit', async (event) => {
  event.preventDefault()
  try {
    by('answer').textContent = await sendOrder(event.target)
  } catch (error) {
    by('answer').textContent = String(error)
  }
})

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => chart?.redraw())
connect()
