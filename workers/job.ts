import type { ThreadTask } from '../src/jobs/dispatch/handler.js'
import { runInThread } from '../src/jobs/dispatch/handler-thread.js'

/** Runs one attempt of one job with the handler that its task names. */
export default function job(task: ThreadTask): Promise<unknown> {
  return runInThread(task)
}
