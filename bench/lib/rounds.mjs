/** Median of the values, with the smallest and the largest. @param {number[]} values */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted.at(-1), values }
}

/**
 * Runs every contender once a round, in turn, and every other round in the opposite order, so that whatever drifts on
 * the machine meets all of them. Returns the results of each by its name, in the order of the rounds.
 *
 * @template T
 * @param {number} rounds
 * @param {Record<string, () => T | Promise<T>>} contenders
 * @returns {Promise<Record<string, T[]>>}
 */
export async function interleaved(rounds, contenders) {
  const names = Object.keys(contenders)
  const results = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      progress(`round ${round + 1} of ${rounds}: ${name}`)
      results[name].push(await contenders[name]())
    }
  }
  progress('')
  return results
}

/** What is being measured now, on a terminal only. */
export function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/** One number of every result, as a spread. */
export function spreadOf(results, number) {
  return spread(results.map(number))
}

/** The ratios of two contenders, round by round, as a spread: what drifts between rounds cancels out. */
export function ratioOf(above, below, number) {
  return spread(above.map((result, round) => number(result) / number(below[round])))
}
