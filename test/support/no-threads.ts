import { createRequire } from 'node:module'

const threads = createRequire(import.meta.url)('node:worker_threads') as { Worker: unknown }

/** Runs `action` while the system refuses every thread that Piscina wants to start. */
export async function withoutThreads<T>(action: () => Promise<T>): Promise<T> {
  const { Worker } = threads
  threads.Worker = class {
    constructor() {
      throw Object.assign(new Error('Worker initialization failure: EAGAIN'), {
        code: 'ERR_WORKER_INIT_FAILED',
      })
    }
  }
  try {
    return await action()
  } finally {
    threads.Worker = Worker
  }
}
