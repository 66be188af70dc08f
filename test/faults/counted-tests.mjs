import { readdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'

const call =
  /faultCount\(\s*'([a-z0-9-]+)'\s*,\s*(?:\{\s*short:\s*([\d_]+)\s*,\s*full:\s*([\d_]+)\s*,?\s*\})?/g

/**
 * The counted tests of a folder, by name, as their own calls of `faultCount` say: nothing has to be noted a second
 * time. A count that is no number in the source is `undefined` here.
 */
export function countedTests(folder) {
  const tests = new Map()
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.test.ts'))) {
    for (const [, name, short, full] of readFileSync(path.join(folder, file), 'utf8').matchAll(call)) {
      tests.set(name, { file, short: numberOf(short), full: numberOf(full) })
    }
  }
  return new Map([...tests].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function numberOf(literal) {
  return literal === undefined ? undefined : Number(literal.replaceAll('_', ''))
}
