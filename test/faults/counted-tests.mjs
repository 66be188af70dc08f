import { readdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'

const number = String.raw`([\d_]+|Number\.MAX_SAFE_INTEGER)`
const counts = String.raw`\{\s*short:\s*${number}\s*,\s*full:\s*${number}\s*,?\s*\}`
const call = new RegExp(String.raw`faultCount\(\s*'([a-z0-9-]+)'\s*,\s*(?:${counts})?`, 'g')

/**
 * The counted tests of a folder, by name, as their own calls of `faultCount` say: nothing has to be noted a second
 * time. "All there are" is infinity, and a count that the source does not say is `undefined`.
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
  if (literal === 'Number.MAX_SAFE_INTEGER') return Number.POSITIVE_INFINITY
  return literal === undefined ? undefined : Number(literal.replaceAll('_', ''))
}
