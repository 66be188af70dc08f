import { describe, expect, it, onTestFinished } from 'vitest'
import { TaskThreads } from '#tidemark/log/task-threads.js'
import { withoutThreads } from '../../support/no-threads.js'
import { settledWithin } from '../../support/settled.js'

const hangMs = 20_000

describe('threads for tasks', () => {
  it('reject a task whose thread ends before it took the task, and the next one', async () => {
    const threads = new TaskThreads<object, unknown>({
      worker: 'snapshot',
      name: 'a test',
      minThreads: 0,
      maxThreads: 1,
    })
    onTestFinished(() => threads.destroy())
    const task = threads.run({})
    const settled = settledWithin([task], hangMs)
    expect(threads.workers).toHaveLength(1)
    await threads.workers[0]!.terminate()
    const died = { status: 'rejected', reason: { code: 'TIDEMARK_THREAD_DIED' } }
    expect(await settled).toMatchObject([died])
    expect(await settledWithin([threads.run({})], hangMs)).toMatchObject([died])
  })

  it('of which one fails without a task reject their tasks, and the process continues', async () => {
    const threads = new TaskThreads<object, unknown>({
      worker: 'snapshot',
      name: 'a test',
      minThreads: 1,
      maxThreads: 1,
    })
    onTestFinished(() => threads.destroy())
    expect(threads.workers).toHaveLength(1)
    // The error with which Node reports that a thread had no descriptor to start with.
    threads.workers[0]!.emit('error', Object.assign(new Error('EMFILE'), { code: 'ERR_WORKER_INIT_FAILED' }))
    const failed = { status: 'rejected', reason: { code: 'TIDEMARK_TOO_MANY_FILES' } }
    expect(await settledWithin([threads.run({})], hangMs)).toMatchObject([failed])
  })

  it('that the system refuses are an error with a code', async () => {
    const options = { worker: 'snapshot', name: 'a test', maxThreads: 1 }
    const died = { code: 'TIDEMARK_THREAD_DIED' }
    await withoutThreads(async () => {
      expect(() => new TaskThreads({ ...options, minThreads: 1 })).toThrowError(expect.objectContaining(died))
    })
  })
})
