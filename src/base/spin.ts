/** Looks at shared memory between two looks at the clock, which costs more than all of them. */
const looksAClock = 16

/**
 * Looks again and again until there is something, for `spinUs` at most; returns whether there was. It notes nowhere that the
 * thread waits, so no other thread notifies it: when there was nothing, the caller follows the whole protocol of a sleep.
 */
export function spin(spinUs: number, look: () => boolean): boolean {
  const endMs = performance.now() + spinUs / 1000
  do {
    for (let i = 0; i < looksAClock; i++) if (look()) return true
  } while (performance.now() < endMs)
  return false
}
