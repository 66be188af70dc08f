// The dashboard. It shows what `/page/events` sends twice a second, and sends orders as any client does.
import { drawCandles, drawCurve, drawRates, forgetCandles } from './charts.js'
import { by, drawChoices, setText } from './elements.js'
import { drawHealth } from './health.js'
import { drawMarket } from './market.js'
import { drawTicket } from './ticket.js'

const retryMs = 2000
const silentMs = 5000
const intervals = ['1s', '1m', '5m', '15m', '1h', '1d']

const address = new URLSearchParams(location.search)
let symbol = address.get('symbol') ?? ''
let interval = address.get('interval') ?? '1m'
let source
let lastMs = 0

function connect() {
  source?.close()
  const query = new URLSearchParams({ ...(symbol !== '' && { symbol }), interval })
  const opened = new EventSource(`/page/events?${query}`)
  source = opened
  // Whatever came before, the first event has all candles again.
  opened.onopen = forgetCandles
  opened.onmessage = ({ data }) => {
    lastMs = performance.now()
    show('connected')
    draw(JSON.parse(data))
  }
  opened.onerror = () => {
    if (source !== opened) return
    show('connection lost; trying again')
    if (opened.readyState === EventSource.CLOSED) setTimeout(reconnect, retryMs, opened, query)
  }
}

/** A browser gives up when it was refused: the venue is still starting, or has no such symbol. */
async function reconnect(refused, query) {
  if (source !== refused) return
  const ended = new AbortController()
  const { status } = await fetch(`/page/events?${query}`, { signal: ended.signal }).catch(() => ({
    status: 0,
  }))
  ended.abort()
  if (source !== refused) return
  if (status === 400) choose('', '1m')
  else connect()
}

function show(state) {
  setText(by('state'), state)
  by('state').dataset.state = state === 'connected' ? 'on' : 'off'
}

function choose(newSymbol, newInterval) {
  symbol = newSymbol
  interval = newInterval
  history.replaceState(null, '', `?${new URLSearchParams({ ...(symbol !== '' && { symbol }), interval })}`)
  connect()
}

function draw(update) {
  const { market } = update
  symbol = update.symbol
  drawChoices(by('symbols'), update.symbols, symbol, (name) => choose(name, interval))
  drawChoices(by('intervals'), intervals, update.interval, (length) => choose(symbol, length))
  drawMarket(symbol, market)
  drawTicket(symbol, market)
  drawCandles(market?.candles ?? [], `${update.interval}`)
  drawCurve(market?.bids ?? [], market?.asks ?? [], market ?? {})
  drawHealth(update.health)
  drawRates(update.health.rates)
}

setInterval(() => {
  if (lastMs > 0 && performance.now() - lastMs > silentMs) show('no news for a while')
}, 1000)
connect()
