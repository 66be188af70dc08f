import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type CheckpointFailure,
  type CheckpointOverdue,
  dumpLog,
  type JobContext,
  JobController,
  type JobControllerOptions,
  type JobEvent,
  JobLog,
  type JobTask,
  readStoredJobs,
} from '#tidemark/jobs/index.js'
import { blockAtomicFiles } from '../support/blocked-files.js'
import { temporaryDirectory } from '../support/temporary.js'
import { failureOf, smallLog } from '../unit/jobs/support/folders.js'

const open: JobController[] = []

afterEach(async () => {
  for (const queue of open.splice(0)) await queue.close({ graceMs: 0 }).catch(() => {})
})

async function newQueue(options: Partial<JobControllerOptions> = {}): Promise<JobController> {
  const dir = options.dir ?? temporaryDirectory()
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

function history(queue: JobController): string[] {
  return [...dumpLog(queue.log.dir)].map(({ type, jobId }) => `${type} ${jobId}`)
}

/** A promise and what settles it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('a job', () => {
  it('is run once it is enqueued, with an event at each step', async () => {
    const queue = await newQueue()
    const emitted: string[] = []
    for (const name of ['enqueued', 'dispatched', 'completed', 'drained'] as const) {
      queue.on(name, () => emitted.push(name))
    }
    const tasks: JobTask[] = []
    let result: unknown
    queue.on('completed', (outcome) => {
      result = outcome.result
    })
    queue.start((task) => {
      tasks.push(task)
      return { sum: 3 }
    })
    expect(await queue.enqueue({ id: 'a', payload: { x: [1, 2] } })).toEqual({
      id: 'a',
      added: true,
      state: 'pending',
    })
    await queue.drained()
    expect(tasks).toEqual([{ id: 'a', payload: { x: [1, 2] }, attempt: 1, attemptId: 2 }])
    // Events are emitted when they are durable, which may be a moment after the queue has drained.
    const all = ['enqueued', 'dispatched', 'completed', 'drained']
    await vi.waitFor(() => expect(emitted).toEqual(all), 20_000)
    expect(result).toEqual({ sum: 3 })
    expect(history(queue)).toEqual(['ENQUEUE a', 'DISPATCH a', 'ACK a'])
    expect(await queue.get('a')).toMatchObject({ state: 'completed', attempts: 1, job: undefined })
    expect(await queue.get('b')).toBeUndefined()
    expect(queue.metrics()).toMatchObject({
      dispatchLatency: { count: 1 },
      runTime: { count: 1 },
      lateResults: 0,
    })
  })

  it('is not handed to its handler before its DISPATCH is on disk', async () => {
    const queue = await newQueue({ concurrency: 4 })
    let early = 0
    queue.start(({ attemptId }) => {
      const onDisk = [...dumpLog(queue.log.dir)].some(
        ({ seq, type }) => seq === attemptId && type === 'DISPATCH',
      )
      if (!onDisk) early++
    })
    await queue.enqueueMany(Array.from({ length: 40 }, () => ({})))
    await queue.drained()
    expect(early).toBe(0)
  })

  it('goes by priority, then in the order of enqueue, also after a retry', async () => {
    const queue = await newQueue({ concurrency: 1, backoff: { baseMs: 0 } })
    await queue.enqueueMany([
      { id: 'low-1', priority: -1 },
      { id: 'a' },
      { id: 'b' },
      { id: 'high-1', priority: 5 },
      { id: 'c' },
      { id: 'high-2', priority: 5 },
      { id: 'low-2', priority: -1 },
    ])
    const order: string[] = []
    queue.start(({ id, attempt }) => {
      order.push(id)
      if (id === 'a' && attempt === 1) throw new Error('again')
    })
    await queue.drained()
    expect(order).toEqual(['high-1', 'high-2', 'a', 'a', 'b', 'c', 'low-1', 'low-2'])
  })

  it('goes by priority among all jobs of a call, also around one whose id is known', async () => {
    const queue = await newQueue({ concurrency: 1 })
    const order: string[] = []
    queue.start(({ id }) => {
      order.push(id)
    })
    await queue.enqueue({ id: 'known' })
    await queue.drained()
    const results = await queue.enqueueMany([
      { id: 'low', priority: -1 },
      { id: 'known' },
      { id: 'high', priority: 5 },
    ])
    expect(results.map(({ added }) => added)).toEqual([true, false, true])
    await queue.drained()
    expect(order).toEqual(['known', 'high', 'low'])
  })

  it('is enqueued once for one id, live, finished, and after the queue was opened again', async () => {
    const dir = temporaryDirectory()
    const first = await newQueue({ dir })
    const [a, again] = await Promise.all([
      first.enqueue({ id: 'a' }),
      first.enqueue({ id: 'a', payload: 'other' }),
    ])
    expect([a.added, again.added]).toEqual([true, false])
    first.start(() => {})
    await first.drained()
    expect(await first.enqueue({ id: 'a' })).toEqual({ id: 'a', added: false, state: 'completed' })
    await first.close()
    const second = await newQueue({ dir })
    expect(await second.enqueueMany([{ id: 'a' }, { id: 'b' }, { id: 'b' }])).toEqual([
      { id: 'a', added: false, state: 'completed' },
      { id: 'b', added: true, state: 'pending' },
      { id: 'b', added: false, state: 'pending' },
    ])
  })

  it('may be enqueued again when it is forgotten, and the log is replayed all the same', async () => {
    const dir = temporaryDirectory()
    const first = await newQueue({ dir, keepFinished: { count: 1 } })
    first.start(() => {})
    for (const id of ['a', 'b', 'a']) {
      expect((await first.enqueue({ id })).added).toBe(true)
      await first.drained()
    }
    first.log.poison(new Error('no snapshot'))
    await first.close()
    const second = await newQueue({ dir, keepFinished: { count: 100 } })
    expect((await second.status()).totals).toMatchObject({ enqueued: 3, completed: 3 })
    expect((await second.status()).finishedKept).toBe(2)
  })

  it('is tried again after a failure, later each time, and dead after the last attempt', async () => {
    const queue = await newQueue({ maxAttempts: 3, backoff: (attempt) => attempt * 2 })
    const emitted: unknown[] = []
    queue.on('retried', ({ attempt, delayMs, reason, error }) =>
      emitted.push([attempt, delayMs, reason, String(error)]),
    )
    queue.on('dead', ({ attempt, reason }) => emitted.push([attempt, reason]))
    queue.start(async () => {
      throw new Error('boom')
    })
    await queue.enqueue({ id: 'a' })
    await queue.drained()
    await queue.log.append('ACK', 'x').catch(() => {})
    expect(emitted).toEqual([
      [1, 2, 'failed', 'Error: boom'],
      [2, 4, 'failed', 'Error: boom'],
      [3, 'failed'],
    ])
    expect(await queue.get('a')).toMatchObject({
      state: 'dead',
      attempts: 3,
      reason: 'failed',
      error: 'boom',
    })
  })

  it('is tried again whatever its handler throws', async () => {
    const queue = await newQueue({ maxAttempts: 4 })
    const thrown = [
      'no error object',
      Object.create(null),
      undefined,
      Object.assign(new Error(), { message: 7 }),
    ]
    const errors: (string | undefined)[] = []
    queue.start(({ attempt }) => {
      throw thrown[attempt - 1]
    })
    await queue.enqueue({ id: 'a' })
    await queue.drained()
    for (const { type, detail } of dumpLog(queue.log.dir)) {
      if (type === 'RETRY' || type === 'DEAD') errors.push(detail['error'] as string)
    }
    expect(errors).toEqual(['no error object', 'an error that cannot be shown', 'undefined', '7'])
  })

  it('waits out its delay', async () => {
    const queue = await newQueue({ backoff: () => 30, maxAttempts: 2 })
    const atMs: number[] = []
    queue.start(() => {
      atMs.push(Date.now())
      throw new Error('again')
    })
    await queue.enqueue({ id: 'a' })
    await queue.drained()
    const [dispatch, retry, again] = [...dumpLog(queue.log.dir)].slice(1)
    expect([dispatch!.type, retry!.type, again!.type]).toEqual(['DISPATCH', 'RETRY', 'DISPATCH'])
    expect(again!.atMs - retry!.atMs).toBeGreaterThanOrEqual(30)
  })

  it('whose attempt takes too long is tried again, and the late result is refused', async () => {
    const queue = await newQueue()
    const late: number[] = []
    const reasons: string[] = []
    queue.on('late', ({ attemptId, error }) =>
      late.push(attemptId, error.code === 'TIDEMARK_JOB_STALE_ATTEMPT' ? 1 : 0),
    )
    const slow = gate()
    queue.start(async ({ attempt }, { signal }) => {
      signal.addEventListener('abort', () => reasons.push((signal.reason as { code: string }).code))
      if (attempt === 1) await slow.opened
      return attempt
    })
    const results: unknown[] = []
    queue.on('completed', ({ result, attempt }) => results.push([result, attempt]))
    await queue.enqueue({ id: 'a', timeoutMs: 20 })
    await queue.drained()
    slow.open()
    await delay(5)
    expect(history(queue)).toEqual(['ENQUEUE a', 'DISPATCH a', 'TIMEOUT a', 'DISPATCH a', 'ACK a'])
    expect(results).toEqual([[2, 2]])
    expect(late).toEqual([2, 1])
    expect(reasons).toEqual(['TIDEMARK_JOB_TIMEOUT'])
    expect(queue.metrics().lateResults).toBe(1)
    expect((await queue.status()).totals).toMatchObject({ timedOut: 1, completed: 1, dispatched: 2 })
  })

  it('whose last attempt takes too long is dead', async () => {
    const queue = await newQueue()
    queue.start((_task, { signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)))
    await queue.enqueue({ id: 'a', timeoutMs: 5, maxAttempts: 2 })
    await queue.drained()
    expect(await queue.get('a')).toMatchObject({ state: 'dead', reason: 'timeout', attempts: 2 })
    expect(queue.metrics().lateResults).toBe(0)
  })

  it('that is cancelled while it runs is announced before the job that takes its place', async () => {
    const queue = await newQueue({ concurrency: 1 })
    const emitted: string[] = []
    queue.on('dead', ({ id }) => emitted.push(`dead ${id}`))
    queue.on('dispatched', ({ id }) => emitted.push(`dispatched ${id}`))
    queue.start(async ({ id }, { signal }: JobContext) => {
      if (id === 'runs') await new Promise((resolve) => signal.addEventListener('abort', resolve))
    })
    await queue.enqueueMany([{ id: 'runs' }, { id: 'next' }])
    await vi.waitFor(() => expect(emitted).toEqual(['dispatched runs']), 20_000)
    await queue.cancel('runs')
    await queue.drained()
    expect(emitted).toEqual(['dispatched runs', 'dead runs', 'dispatched next'])
  })

  it('is cancelled while it waits, while it runs, and not when it is finished', async () => {
    const queue = await newQueue({ concurrency: 1 })
    const running = gate()
    const aborted: string[] = []
    queue.start(async ({ id }, { signal }: JobContext) => {
      if (id !== 'runs') return
      running.open()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted.push((signal.reason as { code: string }).code)
    })
    await queue.enqueueMany([{ id: 'runs' }, { id: 'waits' }, { id: 'last' }])
    await running.opened
    expect(await queue.cancel('waits')).toBe(true)
    expect(await queue.cancel('runs')).toBe(true)
    expect(await queue.cancel('unknown')).toBe(false)
    await queue.drained()
    expect(await queue.cancel('last')).toBe(false)
    expect(aborted).toEqual(['TIDEMARK_JOB_CANCELLED'])
    expect(await queue.get('waits')).toMatchObject({ state: 'dead', reason: 'cancelled', attempts: 0 })
    expect(await queue.get('runs')).toMatchObject({ state: 'dead', reason: 'cancelled', attempts: 1 })
    expect((await queue.status()).totals).toMatchObject({ cancelled: 2, dead: 2, completed: 1 })
  })

  it('that is no job is refused before any of its batch is logged', async () => {
    const queue = await newQueue()
    expect(await failureOf(() => queue.enqueueMany([{ id: 'a' }, { id: '' }]))).toBe('TIDEMARK_JOB_BAD_SPEC')
    const large = { payload: 'x'.repeat(20_000) }
    expect(await failureOf(() => queue.enqueueMany([{ id: 'a' }, large]))).toBe('TIDEMARK_JOB_BAD_EVENT')
    expect(await failureOf(() => queue.enqueue({ payload: 'x'.repeat(16_300) }))).toBe(
      'TIDEMARK_JOB_BAD_EVENT',
    )
    expect(queue.log.lastSeq).toBe(0)
    expect((await queue.status()).pending).toBe(0)
  })
})

describe('a listener that throws', () => {
  it('is an uncaught exception of the process, and the queue continues', async () => {
    const queue = await newQueue()
    const uncaught: unknown[] = []
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => uncaught.push(error.message))
    try {
      for (const name of ['dispatched', 'completed', 'late', 'checkpoint'] as const) {
        queue.on(name, () => {
          throw new Error(name)
        })
      }
      const slow = gate()
      queue.start(({ attempt }) => (attempt === 1 ? slow.opened : undefined))
      await queue.enqueue({ id: 'a', timeoutMs: 10 })
      await queue.drained()
      slow.open()
      await delay(5)
      await queue.checkpoint()
      queue.removeAllListeners()
      await delay(1)
      expect(uncaught.sort()).toEqual(['checkpoint', 'completed', 'dispatched', 'dispatched', 'late'])
    } finally {
      process.removeAllListeners('uncaughtException')
      for (const other of others) process.on('uncaughtException', other)
    }
  })
})

describe('many jobs', () => {
  it.each(['one by one', 'in one call'])(
    'pass through a ring much smaller than they are, in order: %s',
    async (how) => {
      const queue = await newQueue({ concurrency: 1000, snapshotEveryEvents: 1_000_000 })
      const order: number[] = []
      queue.start(({ payload }) => void order.push((payload as { n: number }).n))
      const specs = Array.from({ length: 3000 }, (_, n) => ({ payload: { n, pad: 'x'.repeat(300) } }))
      const added =
        how === 'in one call'
          ? queue.enqueueMany(specs)
          : Promise.all(specs.map((spec) => queue.enqueue(spec)))
      // Those of one call wait as one.
      expect(queue.metrics().waitingSteps).toBeGreaterThan(how === 'in one call' ? 0 : 100)
      await added
      await queue.drained()
      expect(order).toEqual(specs.map(({ payload }) => payload.n))
    },
  )

  it('are never more in flight than allowed', async () => {
    const queue = await newQueue({ concurrency: 3 })
    let running = 0
    let most = 0
    queue.start(async () => {
      most = Math.max(most, ++running)
      await delay(1)
      running--
    })
    await queue.enqueueMany(Array.from({ length: 50 }, () => ({})))
    await queue.drained()
    expect(most).toBe(3)
  })
})

describe('Piscina tasks', () => {
  const filename = path.resolve('test/integration/jobs-task.mjs')

  it('run jobs in worker threads; one that hangs or exits loses its thread and is tried again', async () => {
    const queue = await newQueue({ timeoutMs: 60_000 })
    const results: unknown[] = []
    queue.on('completed', ({ id, result, attempt }) => results.push([id, result, attempt]))
    queue.start({ filename, threads: 2 })
    await queue.enqueueMany([
      { id: 'adds', payload: { a: 1, b: 2 } },
      { id: 'hangs', payload: { hangsOnFirst: true }, timeoutMs: 400 },
      { id: 'exits', payload: { exitsOnFirst: true } },
      { id: 'throws', payload: { throws: true }, maxAttempts: 1 },
    ])
    await queue.drained()
    expect(results.sort()).toEqual([
      ['adds', 3, 1],
      ['exits', 'second', 2],
      ['hangs', 'second', 2],
    ])
    expect(await queue.get('throws')).toMatchObject({ state: 'dead', error: 'boom' })
  })

  it('may be a named export', async () => {
    const queue = await newQueue()
    const results: unknown[] = []
    queue.on('completed', ({ result }) => results.push(result))
    queue.start({ filename, name: 'named' })
    await queue.enqueue({})
    await queue.drained()
    expect(results).toEqual(['named'])
  })
})

describe('closing', () => {
  it('lets running handlers end, dispatches nothing more, and leaves a snapshot alone to read', async () => {
    const dir = temporaryDirectory()
    const queue = await newQueue({ dir, concurrency: 1, keepHistory: false })
    const running = gate()
    const end = gate()
    const ran: string[] = []
    queue.start(async ({ id }) => {
      ran.push(id)
      running.open()
      await end.opened
    })
    await queue.enqueueMany([{ id: 'a' }, { id: 'b' }])
    await running.opened
    const closed = queue.close()
    expect(await failureOf(() => queue.enqueue({}))).toBe('TIDEMARK_JOB_LOG_CLOSED')
    end.open()
    await closed
    expect(ran).toEqual(['a'])
    expect((await queue.status()).state).toBe('closed')
    const stored = await readStoredJobs(dir, { count: 10, ageMs: 1e9 })
    expect(stored.snapshotSeq).toBe(stored.lastSeq)
    expect(stored.table.get('a')!.state).toBe('completed')
    expect(stored.table.get('b')!.state).toBe('pending')
  })

  it('returns what does not end in time to pending, and its result counts for nothing', async () => {
    const dir = temporaryDirectory()
    const queue = await newQueue({ dir })
    const running = gate()
    const end = gate()
    let reason: unknown
    queue.start(async (_task, { signal }) => {
      signal.addEventListener('abort', () => {
        reason = (signal.reason as { code: string }).code
      })
      running.open()
      await end.opened
    })
    await queue.enqueue({ id: 'a' })
    await running.opened
    await queue.close({ graceMs: 5 })
    end.open()
    await delay(5)
    expect(reason).toBe('TIDEMARK_JOB_STOPPED')
    expect(queue.metrics().lateResults).toBe(1)
    expect(history(queue)).toEqual(['ENQUEUE a', 'DISPATCH a', 'RETRY a'])
    const again = await newQueue({ dir })
    expect(await again.get('a')).toMatchObject({ state: 'pending', attempts: 1 })
  })

  it('settles the promises that wait for the queue to drain', async () => {
    const queue = await newQueue()
    await queue.enqueue({})
    const drained = failureOf(() => queue.drained())
    await queue.close()
    expect(await drained).toBe('TIDEMARK_JOB_LOG_CLOSED')
  })

  it('calls no handler whose DISPATCH reaches the disk after the stop', async () => {
    const queue = await newQueue({ log: { ...smallLog, batchSize: 1000, batchDelayMs: 100 } })
    await queue.enqueue({ id: 'a' })
    let calls = 0
    queue.start(() => calls++)
    await queue.close({ graceMs: 10_000 })
    expect(calls).toBe(0)
    expect(history(queue)).toEqual(['ENQUEUE a', 'DISPATCH a', 'RETRY a'])
  })

  it('is final, and says so to everything that is asked after', async () => {
    const queue = await newQueue()
    await queue.close()
    await queue.close()
    const calls = [
      () => queue.enqueue({}),
      () => queue.enqueueMany([{}]),
      () => queue.get('a'),
      () => queue.cancel('a'),
      () => queue.drained(),
      () => queue.checkpoint(),
      () => queue.start(() => {}),
    ]
    for (const call of calls) expect(await failureOf(call)).toBe('TIDEMARK_JOB_LOG_CLOSED')
  })

  it('writes a snapshot only if anything happened since the last, and waits for one that is under way', async () => {
    const dir = temporaryDirectory()
    const file = path.join(dir, 'jobs.snapshot')
    const written = () => fs.statSync(file).ino
    const queue = await newQueue({ dir })
    await queue.enqueue({ id: 'a' })
    const checkpoint = queue.checkpoint()
    await queue.close()
    await checkpoint
    expect(queue.metrics().checkpoints).toBe(1)
    const before = written()
    const idle = await newQueue({ dir })
    expect(await idle.get('a')).toMatchObject({ state: 'pending' })
    await idle.close()
    expect([idle.metrics().checkpoints, written()]).toEqual([0, before])
    const busy = await newQueue({ dir })
    await busy.cancel('a')
    await busy.close()
    expect(busy.metrics().checkpoints).toBe(1)
    expect((await readStoredJobs(dir, busy.settings.keepFinished)).snapshotSeq).toBe(2)
    const never = await newQueue()
    await never.close()
    expect(never.metrics().checkpoints).toBe(0)
  })

  it('removes a history that is no longer kept, though nothing happened', async () => {
    const dir = temporaryDirectory()
    const queue = await newQueue({ dir, keepHistory: true })
    await queue.enqueue({ id: 'a' })
    await queue.close()
    expect([...dumpLog(dir)]).toHaveLength(1)
    for (const checkpoints of [1, 0]) {
      const dropped = await newQueue({ dir, keepHistory: false })
      await dropped.close()
      expect(dropped.metrics().checkpoints).toBe(checkpoints)
      expect([...dumpLog(dir)]).toEqual([])
    }
    const again = await newQueue({ dir })
    expect(await again.get('a')).toMatchObject({ state: 'pending' })
  })

  it('closes when the last snapshot cannot be written, says so, and loses nothing', async () => {
    const dir = temporaryDirectory()
    const queue = await newQueue({ dir })
    await queue.enqueue({ id: 'a' })
    const blocked = blockAtomicFiles(dir)
    const failed: CheckpointFailure[] = []
    queue.on('checkpointFailed', (failure) => failed.push(failure))
    await queue.close()
    expect(failed).toMatchObject([
      { error: { code: 'TIDEMARK_JOB_SNAPSHOT_IO' }, failures: 1, retryMs: undefined, events: 1 },
    ])
    expect(queue.metrics()).toMatchObject({
      checkpointFailures: 1,
      checkpointError: { code: 'TIDEMARK_JOB_SNAPSHOT_IO' },
    })
    blocked.release()
    const again = await newQueue({ dir })
    expect(await again.get('a')).toMatchObject({ state: 'pending' })
  })

  it.each(['close', 'fail'])('leaves nothing that keeps the process alive, after %s', async (end) => {
    const args = [path.resolve('test/integration/jobs-exit-child.mjs'), temporaryDirectory(), end]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 })
    const said = text(child.stdout)
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(await said).toBe('done\n')
  })

  it('takes one handler', async () => {
    const queue = await newQueue()
    queue.start(() => {})
    expect(await failureOf(() => queue.start(() => {}))).toBe('TIDEMARK_JOB_BAD_HANDLER')
  })
})

describe('a log that failed', () => {
  it('stops dispatch at once, and every waiting promise rejects with the cause', async () => {
    const queue = await newQueue({ concurrency: 2 })
    const errors: string[] = []
    queue.on('error', (error) => errors.push((error as { code?: string }).code ?? ''))
    const running = gate()
    const ran: string[] = []
    let aborted: unknown
    queue.start(async ({ id }, { signal }) => {
      ran.push(id)
      running.open()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted = (signal.reason as { code: string }).code
    })
    await queue.enqueueMany([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
    await running.opened
    const drained = queue.drained()
    const failed = failureOf(() => drained)
    queue.log.poison(new Error('EIO'))
    const code = 'TIDEMARK_JOB_SYNC_FAILED'
    expect(await failed).toBe(code)
    for (const call of [() => queue.enqueue({}), () => queue.get('a'), () => queue.cancel('c')]) {
      expect(await failureOf(call)).toBe(code)
    }
    await delay(1)
    expect(ran).not.toContain('c')
    expect(aborted).toBe(code)
    expect(errors).toEqual([code])
    expect((await queue.status()).state).toBe('failed')
    await queue.close()
    expect((await queue.status()).state).toBe('failed')
  })
})

describe('opening again', () => {
  async function crashed(dir: string, options: Partial<JobControllerOptions> = {}): Promise<void> {
    const queue = await newQueue({ dir, concurrency: 1, ...options })
    const running = gate()
    queue.start(async () => {
      running.open()
      await new Promise(() => {})
    })
    if ((await queue.status()).pending === 0) await queue.enqueueMany([{ id: 'a' }, { id: 'b' }])
    await running.opened
    // Ends without a stop, as a crash does.
    queue.log.poison(new Error('crash'))
    await queue.close()
  }

  it('returns jobs that were in flight to pending, in their place, and logs it', async () => {
    const dir = temporaryDirectory()
    await crashed(dir)
    const queue = await newQueue({ dir, concurrency: 1 })
    const last = [...dumpLog(dir)].at(-1) as JobEvent
    expect(last).toMatchObject({
      type: 'RETRY',
      jobId: 'a',
      detail: { attemptId: 3, delayMs: 0, reason: 'restart' },
    })
    expect(await queue.status()).toMatchObject({ pending: 2, inFlight: 0, totals: { interrupted: 1 } })
    const order: [string, number][] = []
    queue.start(({ id, attempt }) => void order.push([id, attempt]))
    await queue.drained()
    expect(order).toEqual([
      ['a', 2],
      ['b', 1],
    ])
  })

  it.each(['__proto__', 'constructor', 'toString'])('knows a job that is called %s', async (id) => {
    const dir = temporaryDirectory()
    const first = await newQueue({ dir })
    expect(await first.get(id)).toBeUndefined()
    const payload = JSON.parse(`{"${id}":{"x":1}}`)
    expect((await first.enqueue({ id, payload })).added).toBe(true)
    await first.close()
    const second = await newQueue({ dir })
    expect((await second.enqueue({ id })).added).toBe(false)
    const payloads: string[] = []
    second.start((task) => void payloads.push(JSON.stringify(task.payload)))
    await second.drained()
    expect(payloads).toEqual([`{"${id}":{"x":1}}`])
    expect(await second.get(id)).toMatchObject({ id, state: 'completed' })
  })

  it('makes a job dead whose attempts end the process every time', async () => {
    const dir = temporaryDirectory()
    await crashed(dir)
    await crashed(dir)
    const queue = await newQueue({ dir, interruptionsMax: 1 })
    expect(await queue.get('a')).toMatchObject({ state: 'dead', reason: 'interrupted', attempts: 2 })
  })

  it('keeps delays: a job that waits for its next attempt keeps waiting', async () => {
    const dir = temporaryDirectory()
    const first = await newQueue({ dir, backoff: { baseMs: 60_000 } })
    const retried = new Promise((resolve) => first.once('retried', resolve))
    first.start(() => {
      throw new Error('later')
    })
    await first.enqueue({ id: 'a' })
    await retried
    await first.close()
    const second = await newQueue({ dir })
    const view = (await second.get('a'))!
    expect(view.job!.dueMs).toBeGreaterThan(Date.now() + 30_000)
    const ran: string[] = []
    second.start(({ id }) => void ran.push(id))
    const completed = new Promise((resolve) => second.once('completed', resolve))
    await second.enqueue({ id: 'b' })
    await completed
    expect(ran).toEqual(['b'])
    expect((await second.status()).pending).toBe(1)
  })

  it('gives the same state from the log alone, from a snapshot alone, and from both', async () => {
    const dir = temporaryDirectory()
    const queue = await newQueue({ dir, snapshotEveryEvents: 1_000_000 })
    queue.start(({ payload, attempt }) => {
      if ((payload as number) % 3 === 0 && attempt === 1) throw new Error('again')
    })
    const half = (from: number) =>
      queue.enqueueMany(Array.from({ length: 100 }, (_, n) => ({ id: `${from + n}`, payload: n })))
    await half(0)
    await queue.drained()
    await queue.checkpoint()
    await half(100)
    await queue.drained()
    const { state: _, ...status } = await queue.status()
    const both = await readStoredJobs(dir, queue.settings.keepFinished)
    expect(both.snapshotSeq).toBeLessThan(both.lastSeq)
    const snapshot = fs.readFileSync(path.join(dir, 'jobs.snapshot'))
    fs.rmSync(path.join(dir, 'jobs.snapshot'))
    const logAlone = await readStoredJobs(dir, queue.settings.keepFinished)
    fs.writeFileSync(path.join(dir, 'jobs.snapshot'), snapshot)
    await queue.close()
    const snapshotAlone = await readStoredJobs(dir, queue.settings.keepFinished)
    expect(snapshotAlone.snapshotSeq).toBe(snapshotAlone.lastSeq)
    const [expected, ...others] = [both, logAlone, snapshotAlone].map(({ table, lastSeq }) => ({
      ...table.counts,
      totals: table.totals,
      lastSeq,
      finished: [...table.finished.values()].map(({ lsn: __, ...job }) => job),
    }))
    for (const other of others) expect(other).toEqual(expected)
    expect({ ...expected, finished: undefined }).toEqual({ ...status, finished: undefined })
  })

  it('refuses a snapshot that is not of this log, and a log whose snapshot is gone', async () => {
    const [dir, other] = [temporaryDirectory(), temporaryDirectory()]
    for (const [folder, jobs] of [
      [dir, 50],
      [other, 5],
    ] as const) {
      const queue = await newQueue({ dir: folder, keepHistory: false })
      await queue.enqueueMany(Array.from({ length: jobs }, () => ({})))
      await queue.close()
    }
    const file = (folder: string) => path.join(folder, 'jobs.snapshot')
    const [mine, its] = [fs.readFileSync(file(dir)), fs.readFileSync(file(other))]
    fs.writeFileSync(file(dir), its)
    expect(await failureOf(() => newQueue({ dir }))).toBe('TIDEMARK_JOB_SNAPSHOT_CORRUPT')
    fs.writeFileSync(file(other), mine)
    expect(await failureOf(() => newQueue({ dir: other }))).toBe('TIDEMARK_JOB_SNAPSHOT_CORRUPT')
    fs.rmSync(file(dir))
    expect(await failureOf(() => newQueue({ dir }))).toBe('TIDEMARK_JOB_LOG_CORRUPT')
    fs.writeFileSync(file(dir), mine)
    expect((await (await newQueue({ dir })).status()).pending).toBe(50)
  })

  it('refuses a log with a change that is impossible', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir, smallLog)
    await log.append('ACK', 'a', { attemptId: 7 })
    await log.close()
    expect(await failureOf(() => newQueue({ dir }))).toBe('TIDEMARK_JOB_LOG_CORRUPT')
    expect(await failureOf(() => readStoredJobs(dir, { count: 1, ageMs: 1 }))).toBe(
      'TIDEMARK_JOB_LOG_CORRUPT',
    )
    expect(await failureOf(() => readStoredJobs(temporaryDirectory(), { count: 1, ageMs: 1 }))).toBe(
      'TIDEMARK_JOB_LOG_EMPTY',
    )
  })
})

describe('snapshots under way', () => {
  it('are taken as events come, keep the log short, and hold while jobs run', async () => {
    const dir = temporaryDirectory()
    const queue = await newQueue({
      dir,
      snapshotEveryEvents: 300,
      keepHistory: false,
      keepFinished: { count: 50 },
    })
    const seqs: number[] = []
    queue.on('checkpoint', ({ lastSeq }) => seqs.push(lastSeq))
    queue.start(() => {})
    for (let n = 0; n < 4; n++) {
      // 500 events or more, so a snapshot is due before the next round. One that is under way meets those to come.
      for (let i = 0; i < 5; i++)
        await queue.enqueueMany(Array.from({ length: 50 }, () => ({ payload: 'x'.repeat(100) })))
      await vi.waitFor(() => expect(seqs.length).toBeGreaterThan(n), 20_000)
    }
    await queue.drained()
    expect(seqs.length).toBeGreaterThan(3)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    expect(queue.metrics().checkpointFailures).toBe(0)
    expect(await queue.status()).toMatchObject({ finishedKept: 50, totals: { completed: 1000 } })
    await queue.close()
    const segments = fs.readdirSync(dir).filter((name) => name.endsWith('.wal'))
    expect(segments.length).toBe(1)
    expect([...dumpLog(dir)]).toEqual([])
  })

  it('that fail are reported, and tried again later', async () => {
    const dir = temporaryDirectory()
    const queue = await newQueue({ dir, snapshotEveryEvents: 10 })
    const blocked = blockAtomicFiles(dir)
    const failed = new Promise<CheckpointFailure>((resolve) => queue.once('checkpointFailed', resolve))
    const overdue = new Promise<CheckpointOverdue>((resolve) => queue.once('checkpointOverdue', resolve))
    await queue.enqueueMany(Array.from({ length: 20 }, () => ({})))
    expect(await failed).toMatchObject({
      error: { code: 'TIDEMARK_JOB_SNAPSHOT_IO' },
      failures: 1,
      retryMs: 1000,
    })
    queue.start(() => {})
    await queue.drained()
    expect(await overdue).toMatchObject({ failures: 1 })
    expect(blocked.tries).toBe(1)
    blocked.release()
    await new Promise((resolve) => queue.once('checkpoint', resolve))
    expect(queue.metrics()).toMatchObject({ checkpointFailures: 1, checkpointRetryAtMs: undefined })
    expect((await queue.status()).totals.completed).toBe(20)
  })
})
