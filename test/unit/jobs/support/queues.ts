import { afterEach } from 'vitest'
import { JobController, type JobControllerOptions } from '#tidemark/jobs/index.js'
import { newFolder, smallLog } from './folders.js'

const open: JobController[] = []

afterEach(async () => {
  for (const queue of open.splice(0)) await queue.close({ graceMs: 0 }).catch(() => {})
})

/** A queue on a small log that is closed when the test is over. */
export async function newQueue(options: Partial<JobControllerOptions> = {}): Promise<JobController> {
  const dir = options.dir ?? newFolder()
  const queue = await JobController.open({
    log: smallLog,
    backoff: { baseMs: 1 },
    keepHistory: true,
    ...options,
    dir,
  })
  open.push(queue)
  return queue
}
