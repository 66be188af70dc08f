import { onTestFinished } from 'vitest'

/** Takes the uncaught exceptions of the process from the test runner until the test is over, and returns them. */
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
