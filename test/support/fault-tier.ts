import { TestRunner } from 'vitest'

/**
 * How much of a fault test runs. `npm test` runs the short tier; `npm run test:faults` sets `TIDEMARK_FAULTS=full`, and for
 * single tests `TIDEMARK_FAULTS_<NAME>=count`; `TIDEMARK_FAULTS_SHARD=i/n` takes every n-th case, beginning with the i-th (from 1).
 */
export function faultTier(): 'short' | 'full' {
  return process.env['TIDEMARK_FAULTS'] === 'full' ? 'full' : 'short'
}

/** How many cases of the test `name` there are, before they are cut into shards. */
export function faultCount(name: string, counts: { short: number; full: number }): number {
  const variable = `TIDEMARK_FAULTS_${name.toUpperCase().replaceAll('-', '_')}`
  const given = process.env[variable]
  if (given === undefined) return counts[faultTier()]
  const count = Number(given)
  if (!Number.isSafeInteger(count) || count < 0)
    throw new Error(`${variable} is ${given}; give a whole number of 0 or more`)
  return count
}

/**
 * The cases of this shard among 0 to `count - 1`. A case's number is its seed, so that the number alone repeats it.
 * `weight` is what one of them counts for in the runner's table, such as the operations of a history.
 */
export function* faultCases(count: number, weight = 1): Generator<number> {
  const { index, of } = faultShard()
  for (let seed = index; seed < count; seed += of) {
    countCase(weight)
    yield seed
  }
}

/** `count` places of `total`, evenly spread, all of them when `count` is `total` or more; the cases of this shard. */
export function* faultPlaces(count: number, total: number): Generator<number> {
  const places = Math.min(count, total)
  for (const i of faultCases(places)) yield Math.floor((i * total) / places)
}

/** Notes a case with the test that runs, for the runner's table. */
function countCase(weight: number): void {
  const meta = TestRunner.getCurrentTest()?.meta as { faultCases?: number } | undefined
  if (meta) meta.faultCases = (meta.faultCases ?? 0) + weight
}

function faultShard(): { index: number; of: number } {
  const given = process.env['TIDEMARK_FAULTS_SHARD'] ?? '1/1'
  const [, i, n] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(given) ?? []
  if (i === undefined || n === undefined || Number(i) > Number(n))
    throw new Error(`TIDEMARK_FAULTS_SHARD is ${given}; give i/n with i from 1 to n, such as 2/4`)
  return { index: Number(i) - 1, of: Number(n) }
}
