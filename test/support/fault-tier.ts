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

/** The cases of this shard among 0 to `count - 1`. A case's number is its seed, so that the number alone repeats it. */
export function* faultCases(count: number): Generator<number> {
  const { index, of } = faultShard()
  for (let seed = index; seed < count; seed += of) yield seed
}

function faultShard(): { index: number; of: number } {
  const given = process.env['TIDEMARK_FAULTS_SHARD'] ?? '1/1'
  const [, i, n] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(given) ?? []
  if (i === undefined || n === undefined || Number(i) > Number(n))
    throw new Error(`TIDEMARK_FAULTS_SHARD is ${given}; give i/n with i from 1 to n, such as 2/4`)
  return { index: Number(i) - 1, of: Number(n) }
}
