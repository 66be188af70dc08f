import { setImmediate, setTimeout } from 'node:timers/promises'
import type { InspectionStep } from '../../log/index.js'
import { BytesProgress } from '../progress-bar.js'

/** How long an inspection may hold the thread before timers and signals get their turn. */
const holdMs = 50

/**
 * Runs an inspection to its end, with progress unless `progress` is false and with the waits that it asks for. `between`
 * is called between steps, and ends the run with `undefined` when it says `false`.
 */
export async function runInspection<T>(
  steps: Generator<InspectionStep, T>,
  options: { progress?: boolean; between?: () => boolean | Promise<boolean> } = {},
): Promise<T | undefined> {
  const display = options.progress === false ? undefined : new BytesProgress(process.stderr, 'read')
  let turnMs = performance.now()
  try {
    for (;;) {
      const step = steps.next()
      if (step.done) return step.value
      display?.show(step.value.bytesDone, step.value.bytesTotal)
      if (options.between && !(await options.between())) return undefined
      if (step.value.waitMs > 0) await setTimeout(step.value.waitMs)
      if (performance.now() - turnMs < holdMs) continue
      await setImmediate()
      turnMs = performance.now()
    }
  } finally {
    // However it ends, also by what `between` throws, the file that is being read is closed.
    steps.return(undefined as T)
    display?.stop()
  }
}
