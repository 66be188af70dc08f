import * as path from 'node:path'

const headings = ['test file', 'cases', 'seconds', 'failures']

/** Ends a run of vitest with a table: a line for each test file. A test that counts no cases is one case. */
export default class TableReporter {
  onTestRunEnd(modules, errors) {
    const rows = modules.map(rowOf).sort(([a], [b]) => (a < b ? -1 : 1))
    const totals = [1, 2, 3].map((column) => rows.reduce((sum, row) => sum + row[column], 0))
    rows.push(['total', ...totals])
    const cells = [headings, ...rows.map(textOf)]
    const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
    const lines = cells.map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    )
    const note = errors.length > 0 ? [`${errors.length} errors outside of tests`] : []
    process.stdout.write(`\n${[...lines, ...note].join('\n')}\n`)
  }
}

function rowOf(module) {
  const tests = [...module.children.allTests()].filter((test) => test.result().state !== 'skipped')
  const cases = tests.reduce((sum, test) => sum + (test.meta().faultCases ?? 1), 0)
  const failed = tests.filter((test) => test.result().state === 'failed').length
  const milliseconds = tests.reduce((sum, test) => sum + (test.diagnostic()?.duration ?? 0), 0)
  // A file that could not even be loaded has no tests.
  const failures = failed + (tests.length === 0 && module.state() === 'failed' ? 1 : 0)
  return [path.basename(module.moduleId), cases, milliseconds / 1000, failures]
}

function textOf([name, cases, seconds, failures]) {
  return [name, cases.toLocaleString('en-US'), seconds.toFixed(1), String(failures)]
}
