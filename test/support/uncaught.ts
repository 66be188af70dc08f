import { onTestFinished } from 'vitest'

/** What the process hears of as uncaught exceptions from now on until the test is over, in place of the test runner. */
export function collectUncaught(): unknown[] {
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const uncaught: unknown[] = []
  process.on('uncaughtException', (error) => uncaught.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other)
  })
  return uncaught
}
