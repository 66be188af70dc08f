import { barChart, lineChart } from './svg.mjs'

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1c2430, #e4e8ee); --soft: light-dark(#5d6b7d, #98a5b6);
  --line: light-dark(#d9e0e8, #333d4a); --paper: light-dark(#fff, #12171e) }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem } h2 { margin-top: 2.5rem; font-size: 1.25rem } h3 { margin-top: 1.8rem; font-size: 1.05rem }
p, figcaption { color: var(--soft) } .scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap }
th { color: var(--soft); font-weight: 500 } figure { margin: 1.2rem 0 } svg { max-width: 100%; height: auto }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif } svg .soft { fill: var(--soft) }
svg .grid { stroke: var(--line) } .yes { color: light-dark(#14713d, #57c98a) } .no { color: light-dark(#b3372f, #f08379) }
`

/** Any number of results of benches as one page that needs no other file. */
export function page(title, results, lead = '') {
  const body = results.map((result) => section(result, results.length > 1)).join('\n')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head>
<body><h1>${escaped(title)}</h1>
${lead}${body}
</body></html>
`
}

/** What the page of all benches begins with: how to read it, the ratios, then what holds for this machine alone. */
export function goalTables(goals, leftOut) {
  const named = goals.map((goal) => ({ ...goal, what: `${goal.name}: ${goal.what}` }))
  const ratios = named.filter(({ absolute }) => !absolute)
  const speeds = named.filter(({ absolute }) => absolute)
  const missing = leftOut.map((name) => `<code>node bench/${escaped(name)}.mjs</code>`).join(', ')
  return `<p>A ratio compares two things that were measured in turn, round by round, on this machine: it says about the same on
another one. A speed holds for this machine and this disk alone. Everything counts only once it is on disk, unless its line says otherwise. Each
figure is the median of the rounds; where the rounds differ much, the tables below show by how much. "Wanted" is what we hold ourselves
to. A busy machine spoils all of it: let nothing else run.</p>
${missing && `<p>Left out, for want of time: ${missing}.</p>`}
${ratios.length > 0 ? `<h2>Ratios</h2>${goalTable(ratios)}` : ''}
${speeds.length > 0 ? `<h2>Speeds on this machine</h2>${goalTable(speeds)}` : ''}
`
}

function section(result, titled) {
  const { title, machine, startedAt, elapsedMs, settings, command, goals, sections } = result
  const about = [
    ...Object.entries(machine).map(([what, value]) => `${what} ${value}`),
    `${settings.rounds} rounds`,
    `${(elapsedMs / 1000).toFixed(0)} s`,
    startedAt,
  ].join(', ')
  const parts = [
    titled ? `<h2>${escaped(title)}</h2>` : '',
    `<p>${escaped(about)}<br><code>node ${escaped(command.join(' '))}</code></p>`,
  ]
  if (settings.quick)
    parts.push('<p>A quick run shows that everything works; its numbers are worth nothing.</p>')
  for (const [what, reason] of Object.entries(result.notMeasured ?? {}))
    parts.push(`<p>Not measured: ${escaped(what)} (${escaped(reason)})</p>`)
  if (goals.length > 0) parts.push('<h3>Goals</h3>', goalTable(goals))
  for (const part of sections) {
    parts.push(`<h3>${escaped(part.title)}</h3>`)
    for (const chart of part.charts ?? []) parts.push(figure(chart))
    parts.push(table(part.columns, part.rows))
    if (part.note) parts.push(`<p>${escaped(part.note)}</p>`)
  }
  return parts.join('\n')
}

function figure(chart) {
  const drawing = chart.kind === 'bars' ? barChart(chart) : lineChart(chart)
  return `<figure>${drawing}<figcaption>${escaped(chart.title)}</figcaption></figure>`
}

function goalTable(goals) {
  const rows = goals.map(({ what, value, wanted, met, unit }) => {
    const shown =
      Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(3))
    return `<tr><td>${escaped(what)}</td><td>${shown}${escaped(unit)}</td><td>${escaped(wanted)}</td><td class="${met ? 'yes' : 'no'}">${met ? 'met' : 'not met'}</td></tr>`
  })
  return `<div class="scroll"><table><tr><th>what</th><th>measured</th><th>wanted</th><th></th></tr>${rows.join('')}</table></div>`
}

function table(columns, rows) {
  const cells = (tag, line) =>
    `<tr>${line.map((cell) => `<${tag}>${escaped(String(cell))}</${tag}>`).join('')}</tr>`
  return `<div class="scroll"><table>${cells('th', columns)}${rows.map((row) => cells('td', row)).join('')}</table></div>`
}

function escaped(text) {
  return text.replace(
    /[&<>"]/g,
    (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[letter],
  )
}
