import { lineChart } from './svg.mjs'

const titleHeight = 30
const style =
  'text{font:12px system-ui,sans-serif;fill:#1c1e21}.soft{fill:#565b63}.grid{stroke:#d5d9df;stroke-width:1}.title{font-weight:600;font-size:14px}'

/**
 * One picture of charts over time, one below the other, that stands alone as a file.
 *
 * @param {string} title
 * @param {{ y: string, series: { name: string, points: [seconds: number, value: number][] }[] }[]} charts
 */
export function soakPlot(title, charts) {
  let y = titleHeight
  const parts = charts.map((chart) => {
    const drawn = lineChart({ x: 'seconds', counted: true, ...chart })
    const [width, height] = (/width="(\d+)" height="(\d+)"/.exec(drawn) ?? ['', '860', '0']).slice(1)
    const placed = drawn.replace('<svg ', `<svg x="0" y="${y}" `)
    y += Number(height)
    return { placed, width: Number(width) }
  })
  const width = Math.max(...parts.map((part) => part.width))
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}"><style>${style}</style>` +
    `<rect width="${width}" height="${y}" fill="#ffffff"/><text class="title" x="16" y="20">${title}</text>${parts.map(({ placed }) => placed).join('')}</svg>\n`
  )
}
