// The charts: candles with their volumes, the depth summed, and rates of the venue. Each is drawn by uPlot, and says in words what it shows.
import { by, color, setText, timeText } from './elements.js'

const levelsSummed = 40
const ratesShown = 600
/** What a candle needs, in pixels: of a narrower one it is not seen whether it is filled. */
const candleWidthMin = 7
const candlesKept = 500

let candles = []
/** Those of them that there is room for, and when the chosen one began. */
let shown = []
let interval = ''
let pickedMs
let candleChart
let curveChart
let ratesChart
const choice = by('candle-choice')
const rates = { times: [], commands: [], trades: [] }

const soft = () => color('--soft')
const line = () => color('--line')
const axis = (more) => ({
  stroke: soft,
  grid: { stroke: line, width: 1 },
  ticks: { stroke: line },
  font: '12px system-ui',
  ...more,
})
const still = { drag: { x: false, y: false } }

export function forgetCandles() {
  candles = []
  pickedMs = undefined
}

/** Adds the candles that changed to those that are there, and draws them. */
export function drawCandles(changed, newInterval) {
  if (newInterval !== interval) forgetCandles()
  interval = newInterval
  for (const candle of changed) {
    const last = candles.at(-1)
    if (last?.[0] === candle[0]) candles[candles.length - 1] = candle
    else if (!last || candle[0] > last[0]) candles.push(candle)
  }
  // A page may be open for days.
  candles.splice(0, Math.max(0, candles.length - candlesKept))
  shown = candles.slice(-Math.max(20, Math.floor((by('candles').clientWidth - 90) / candleWidthMin)))
  const data = [0, 1, 2, 3, 4, 5].map((field) =>
    shown.map((candle) => Number(candle[field]) / (field === 0 ? 1000 : 1)),
  )
  candleChart = draw(candleChart, 'candles', 300, data, candleOptions)
  readCandle()
}

/** Says a candle in words: the one that was chosen, or the last. */
function readCandle() {
  const chosen = shown.findIndex(([startMs]) => startMs === pickedMs)
  const at = chosen < 0 ? shown.length - 1 : chosen
  choice.max = String(Math.max(0, shown.length - 1))
  choice.value = String(Math.max(0, at))
  const text = shown.length === 0 ? 'No trade yet.' : candleText(shown[at])
  setText(by('candle'), text)
  choice.setAttribute('aria-valuetext', text)
}

function candleText([start, open, high, low, close, volume]) {
  const change = Number(close) - Number(open)
  const direction = change > 0 ? 'rose' : change < 0 ? 'fell' : 'unchanged'
  return `${timeText(start, interval)}  open ${open}  high ${high}  low ${low}  close ${close}  volume ${volume}  (${direction})`
}

/** Chooses a candle; the last one stays the last when others come after it. */
function pick(at) {
  pickedMs = at >= shown.length - 1 ? undefined : shown[at][0]
  readCandle()
}

function candleOptions() {
  const unseen = { paths: () => null, points: { show: false } }
  return {
    cursor: { ...still, y: false },
    legend: { show: false },
    scales: {
      y: { range: (_, least, most) => widened(least, most) },
      v: { range: (_, __, most) => [0, most * 5 || 1] },
    },
    axes: [
      axis({ values: (_, splits) => splits.map((second) => timeText(second * 1000, interval).slice(-5)) }),
      axis({ size: 76, values: (_, splits) => splits.map((price) => String(Number(price.toPrecision(10)))) }),
    ],
    series: [{}, unseen, unseen, unseen, unseen, { ...unseen, scale: 'v' }],
    hooks: {
      draw: [paintCandles],
      setCursor: [({ cursor }) => cursor.idx != null && cursor.left >= 0 && pick(cursor.idx)],
    },
  }
}

/** The span of the prices with a little above, and room for the volumes below. */
function widened(least, most) {
  if (least === null || most === null) return [0, 1]
  const span = most - least || Math.abs(most) * 0.001 || 1
  return [least - span * 0.3, most + span * 0.08]
}

function paintCandles(plot) {
  const { ctx, data, bbox } = plot
  const [times, opens, highs, lows, closes, volumes] = data
  const width = Math.max(1, Math.min(14 * devicePixelRatio, (bbox.width / Math.max(times.length, 1)) * 0.7))
  ctx.save()
  ctx.lineWidth = devicePixelRatio
  for (let i = 0; i < times.length; i++) {
    const rises = closes[i] >= opens[i]
    const x = plot.valToPos(times[i], 'x', true)
    const y = (price) => plot.valToPos(price, 'y', true)
    const floor = plot.valToPos(0, 'v', true)
    const volumeTop = plot.valToPos(volumes[i], 'v', true)
    ctx.fillStyle = color('--line')
    ctx.fillRect(x - width / 2, volumeTop, width, floor - volumeTop)
    ctx.strokeStyle = ctx.fillStyle = color(rises ? '--bid' : '--ask')
    const top = y(Math.max(opens[i], closes[i]))
    const bottom = Math.max(top + 1, y(Math.min(opens[i], closes[i])))
    ctx.beginPath()
    ctx.moveTo(x, y(highs[i]))
    ctx.lineTo(x, top)
    ctx.moveTo(x, bottom)
    ctx.lineTo(x, y(lows[i]))
    ctx.stroke()
    // Bodies of candles that rose are hollow: colour alone says nothing.
    if (rises) ctx.strokeRect(x - width / 2, top, width, bottom - top)
    else ctx.fillRect(x - width / 2, top, width, bottom - top)
  }
  ctx.restore()
}

/** What could be sold and bought down and up to each price. */
export function drawCurve(bids, asks, { baseAsset = '' } = {}) {
  const down = summed(bids).reverse()
  const up = summed(asks)
  const data = [
    [...down, ...up].map(([price]) => price),
    [...down.map(([, sum]) => sum), ...up.map(() => null)],
    [...down.map(() => null), ...up.map(([, sum]) => sum)],
  ]
  curveChart = draw(curveChart, 'curve', 320, data, curveOptions)
  const side = (levels, name) =>
    levels.length === 0
      ? `no ${name}`
      : `${name}: ${Number(levels.at(-1)[1].toPrecision(6))} ${baseAsset} within ${levels.length} prices`
  setText(
    by('curve-text'),
    `${side(down.toReversed(), 'bids')} (solid); ${side(up, 'asks')} (dashed, hatched).`,
  )
}

function summed(levels) {
  let sum = 0
  return levels.slice(0, levelsSummed).map(([price, size]) => {
    sum += Number(size)
    return [Number(price), sum]
  })
}

function curveOptions() {
  return {
    cursor: { show: false },
    legend: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, most * 1.05 || 1] } },
    axes: [
      axis({
        space: 80,
        values: (_, splits) => splits.map((price) => String(Number(price.toPrecision(10)))),
      }),
      axis({ size: 60 }),
    ],
    series: [
      {},
      {
        stroke: () => color('--bid'),
        fill: () => color('--bid-back'),
        width: 2,
        paths: uPlot.paths.stepped({ align: -1 }),
        points: { show: false },
      },
      {
        stroke: () => color('--ask'),
        fill: hatched,
        width: 2,
        dash: [6, 3],
        paths: uPlot.paths.stepped({ align: 1 }),
        points: { show: false },
      },
    ],
  }
}

/** Lines at a slant: the side of the asks is known without its colour. */
function hatched(plot) {
  const tile = document.createElement('canvas')
  const size = (tile.width = tile.height = 8 * devicePixelRatio)
  const ctx = tile.getContext('2d')
  ctx.strokeStyle = color('--ask')
  ctx.globalAlpha = 0.45
  ctx.lineWidth = devicePixelRatio
  ctx.beginPath()
  for (const from of [-size, 0, size]) {
    ctx.moveTo(from, size)
    ctx.lineTo(from + size, 0)
  }
  ctx.stroke()
  return plot.ctx.createPattern(tile, 'repeat')
}

export function drawRates({ commands, trades }) {
  const { times } = rates
  const second = Date.now() / 1000
  times.push(second)
  rates.commands.push(commands)
  rates.trades.push(trades)
  if (times.length > ratesShown) for (const list of Object.values(rates)) list.shift()
  ratesChart = draw(ratesChart, 'rates', 140, [times, rates.commands, rates.trades], ratesOptions)
}

function ratesOptions() {
  return {
    cursor: still,
    legend: { live: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
    axes: [
      axis({
        values: (_, splits) => splits.map((time) => timeText(time * 1000)),
        space: 90,
        incrs: [1, 5, 15, 30, 60, 300],
      }),
      axis({ size: 60 }),
    ],
    series: [
      {},
      { label: 'Commands a second', stroke: () => color('--bid'), width: 2, points: { show: false } },
      {
        label: 'Trades a second (dashed)',
        stroke: () => color('--ask'),
        width: 2,
        dash: [6, 3],
        points: { show: false },
      },
    ],
  }
}

/** Makes the chart if it is not there yet, and gives it new data and the width of its place. */
function draw(chart, id, height, data, options) {
  const place = by(id)
  const width = place.clientWidth
  if (typeof uPlot === 'undefined' || width === 0) return chart
  if (!chart) return new uPlot({ width, height, ...options() }, data, place)
  if (chart.width !== width) chart.setSize({ width, height })
  chart.setData(data)
  return chart
}

choice.addEventListener('input', () => {
  pick(Number(choice.value))
  const left = pickedMs === undefined ? -10 : candleChart?.valToPos(pickedMs / 1000, 'x')
  candleChart?.setCursor({ left, top: left < 0 ? -10 : 0 }, false)
})
by('candles').addEventListener('mouseleave', () => pick(shown.length))
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of [candleChart, curveChart, ratesChart]) chart?.redraw()
})
