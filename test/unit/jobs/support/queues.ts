import { onTestFinished } from 'vitest'
import { JobController, type JobControllerOptions } from '#tidemark/jobs/index.js'
import { temporaryDirectory } from '../../../support/temporary.js'
import { smallLog } from './folders.js'

/** A queue on a small log that is closed when the test is over. */
export async function newQueue(options: Partial<JobControllerOptions> = {}): Promise<JobController> {
  const dir = options.dir ?? temporaryDirectory()
  const queue = await JobController.open({
    log: smallLog,
    backoff: { baseMs: 1 },
    keepHistory: true,
    ...options,
    dir,
  })
  onTestFinished(() => queue.close({ graceMs: 0 }).catch(() => {}))
  return queue
}
