/**
 * Takes the steps of an ending one after the other, each also when one before it failed: what holds a lock, a thread or a
 * descriptor gives it up whatever happened before.
 *
 * @throws what the first step that failed threw, after all of them.
 */
export async function endAll(...steps: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
