/** Everything settles within a second of a thread's death; what is pending after this time, on a loaded machine too, hangs. */
const hangMs = 60_000

/** Resolves with how each promise ended, or says that some still hang. */
export async function settledWithin<T>(
  promises: readonly Promise<T>[],
  ms = hangMs,
): Promise<PromiseSettledResult<T>[]> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`promises hang after ${ms} ms`)), ms)
  })
  return Promise.race([Promise.allSettled(promises), timeout]).finally(() => clearTimeout(timer))
}
