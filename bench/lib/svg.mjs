import { rate } from '../../dist/src/cli/number-format.js'

/** Distinct to people who do not see red or green, too (Okabe and Ito). */
const colors = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#7f7f7f',
  '#8c6bb1',
  '#8c5a2b',
  '#1b6e5c',
  '#b8a800',
]
const width = 860
const left = 76
const right = 262
const top = 16
const bottom = 46

/**
 * Horizontal bars from zero, each with its spread as a whisker. Bars of one kind have one colour; each is its own kind
 * unless stated.
 *
 * @param {{ unit: string, bars: { name: string, kind?: string, median: number, min: number, max: number }[] }} chart
 */
export function barChart({ unit, bars: all }) {
  const bars = all.filter(({ median }) => median > 0)
  const kinds = [...new Set(bars.map(({ kind, name }) => kind ?? name))]
  const labels = 290
  const rowHeight = 26
  const height = top + bars.length * rowHeight + bottom
  const most = Math.max(...bars.map(({ max }) => max), Number.MIN_VALUE)
  const x = (value) => labels + (value / most) * (width - labels - 90)
  const rows = bars.map(({ name, kind, median, min, max }, at) => {
    const y = top + at * rowHeight
    const middle = y + rowHeight / 2 - 2
    return (
      `<text x="${labels - 8}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>` +
      `<rect x="${labels}" y="${y + 3}" width="${px(x(median) - labels)}" height="${rowHeight - 10}" fill="${colors[kinds.indexOf(kind ?? name) % colors.length]}"/>` +
      `<path d="M${px(x(min))} ${middle}H${px(x(max))}" stroke="currentColor" stroke-width="1.5"/>` +
      `<text x="${px(x(max) + 6)}" y="${middle + 4}">${rate(median)}</text>`
    )
  })
  return svg(
    height,
    `${rows.join('')}<text class="soft" x="${labels}" y="${height - 20}">${escaped(unit)}</text>`,
  )
}

/**
 * Lines over a logarithmic x axis, or over whole numbers from zero (`counted`); the y axis is logarithmic when the values are
 * far apart.
 *
 * @param {{ x: string, y: string, counted?: boolean, series: { name: string, points: [x: number, y: number, min?: number, max?: number][] }[] }} chart
 */
export function lineChart({ x: xTitle, y: yTitle, counted = false, series }) {
  const height = 340
  const points = series.flatMap((line) => line.points).filter(([, y]) => y > 0)
  if (points.length === 0) return ''
  const xs = scale(
    points.map(([x]) => x),
    left,
    width - right,
    !counted,
    1,
  )
  const values = points.map(([, y]) => y)
  const far = Math.max(...values) / Math.min(...values) > 20
  const ys = scale(values, height - bottom, top, far)
  const grid = [
    ...ys.ticks.map(
      (tick) =>
        `<path class="grid" d="M${left} ${px(ys.at(tick))}H${width - right}"/>` +
        `<text class="soft" x="${left - 8}" y="${px(ys.at(tick) + 4)}" text-anchor="end">${label(tick)}</text>`,
    ),
    ...xs.ticks.map(
      (tick) =>
        `<text class="soft" x="${px(xs.at(tick))}" y="${height - bottom + 18}" text-anchor="middle">${label(tick)}</text>`,
    ),
  ]
  const lines = series.map(({ name, points: all }, at) => {
    const color = colors[at % colors.length]
    const shown = all.filter(([, y]) => y > 0)
    const path = shown.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(xs.at(x))} ${px(ys.at(y))}`).join('')
    const marks = shown.map(([x, y, min, max]) => {
      const whisker =
        min > 0 && max > min
          ? `<path d="M${px(xs.at(x))} ${px(ys.at(min))}V${px(ys.at(max))}" stroke="${color}"/>`
          : ''
      return `${whisker}<circle cx="${px(xs.at(x))}" cy="${px(ys.at(y))}" r="3" fill="${color}"/>`
    })
    const legend = top + 10 + at * 19
    return (
      `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>${marks.join('')}` +
      `<rect x="${width - right + 14}" y="${legend - 9}" width="11" height="11" fill="${color}"/>` +
      `<text x="${width - right + 31}" y="${legend + 1}">${escaped(name)}</text>`
    )
  })
  const titles =
    `<text class="soft" x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">${escaped(xTitle)}</text>` +
    `<text class="soft" x="14" y="${height / 2}" text-anchor="middle" transform="rotate(-90 14 ${height / 2})">${escaped(yTitle)}</text>`
  return svg(height, grid.join('') + lines.join('') + titles)
}

/** Maps values to pixels; ticks are powers of ten, or fifths of the largest value and no closer than `stepMin`. */
function scale(values, from, to, logarithmic, stepMin = 0) {
  const most = Math.max(...values)
  if (!logarithmic) {
    const step = Math.max(stepMin, roundStep(most / 5))
    const end = Math.ceil(most / step) * step
    const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step)
    return { ticks, at: (value) => from + (value / end) * (to - from) }
  }
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9)
  const high = Math.max(low + 1, Math.ceil(Math.log10(most) - 1e-9))
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i))
  return { ticks, at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) }
}

function roundStep(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * [1, 2, 5, 10].find((factor) => factor * power >= value)
}

function label(value) {
  return value >= 1000 ? rate(value).replace(/\.0+ | ?\.00(?= )/, ' ') : String(Number(value.toPrecision(3)))
}

function svg(height, inner) {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">${inner}</svg>`
}

function px(value) {
  return Math.round(value * 10) / 10
}

function escaped(text) {
  return text.replace(/[&<>]/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[letter])
}
