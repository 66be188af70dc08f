import { beforeEach, describe, expect, it } from 'vitest'
import type { JobEvent, JobEventDetail, JobEventType } from '#tidemark/jobs/index.js'
import { JobTable } from '#tidemark/jobs/state/job-table.js'
import { failureOf } from './support/folders.js'

const job = { payload: { n: 1 }, timeoutMs: 1000, priority: 0, maxAttempts: 3 }
const keep = { count: 10, ageMs: Number.POSITIVE_INFINITY }

let table: JobTable
let seq: number

function make(type: JobEventType, jobId: string, detail: JobEventDetail, atMs = seq): JobEvent {
  return { seq: seq + 1, type, jobId, detail, atMs, checksum: 0 }
}

function apply(type: JobEventType, jobId: string, detail: JobEventDetail, atMs?: number) {
  const event = make(type, jobId, detail, atMs)
  table.check(event)
  seq++
  return table.apply(event, seq * 100)
}

function dispatch(id: string, attempt = 1) {
  return apply('DISPATCH', id, { attemptId: seq + 1, attempt, worker: 'w' })
}

function refusal(type: JobEventType, id: string, detail: JobEventDetail): Promise<string> {
  return failureOf(() => table.check(make(type, id, detail)))
}

beforeEach(() => {
  table = new JobTable(keep)
  seq = 0
})

describe('a job', () => {
  it('is enqueued, dispatched and completed', () => {
    const live = apply('ENQUEUE', 'a', job)
    expect(live).toMatchObject({ state: 'pending', attempts: 0, seq: 1, payloadJson: '{"n":1}', lsn: 100 })
    expect(table.counts).toEqual({ pending: 1, inFlight: 0, finishedKept: 0 })
    dispatch('a')
    expect(live).toMatchObject({ state: 'inFlight', attempts: 1, attemptId: 2 })
    expect(table.counts).toEqual({ pending: 0, inFlight: 1, finishedKept: 0 })
    apply('ACK', 'a', { attemptId: 2 }, 77)
    expect(table.counts).toEqual({ pending: 0, inFlight: 0, finishedKept: 1 })
    expect(table.get('a')).toMatchObject({ state: 'completed', attempts: 1, finishedAtMs: 77, lsn: 300 })
    expect(table.totals).toMatchObject({ enqueued: 1, dispatched: 1, completed: 1, dead: 0 })
  })

  it('comes back by retry, timeout and restart, each counted for what it is', () => {
    const live = apply('ENQUEUE', 'a', job)
    dispatch('a', 1)
    apply('RETRY', 'a', { attemptId: 2, delayMs: 500, reason: 'failed' }, 1000)
    expect(live).toMatchObject({ state: 'pending', dueMs: 1500, attempts: 1, interrupted: 0, attemptId: 0 })
    dispatch('a', 2)
    apply('TIMEOUT', 'a', { attemptId: 4, delayMs: 0 }, 2000)
    expect(live).toMatchObject({ state: 'pending', dueMs: 0, attempts: 2, interrupted: 0 })
    dispatch('a', 3)
    apply('RETRY', 'a', { attemptId: 6, delayMs: 0, reason: 'restart' })
    expect(live).toMatchObject({ state: 'pending', attempts: 3, interrupted: 1 })
    dispatch('a', 4)
    apply('DEAD', 'a', { attemptId: 8, reason: 'timeout', error: 'slow' })
    expect(table.get('a')).toMatchObject({ state: 'dead', attempts: 4, reason: 'timeout', error: 'slow' })
    expect(table.totals).toEqual({
      enqueued: 1,
      dispatched: 4,
      completed: 0,
      retried: 1,
      timedOut: 2,
      dead: 1,
      cancelled: 0,
      interrupted: 1,
    })
  })

  it('is cancelled while it is pending or in flight', () => {
    apply('ENQUEUE', 'a', job)
    apply('DEAD', 'a', { reason: 'cancelled' })
    apply('ENQUEUE', 'b', job)
    dispatch('b')
    apply('DEAD', 'b', { attemptId: 4, reason: 'cancelled' })
    expect(table.totals).toMatchObject({ dead: 2, cancelled: 2 })
    expect(table.counts).toEqual({ pending: 0, inFlight: 0, finishedKept: 2 })
  })

  it('that is finished may be enqueued again: its id had been forgotten when that was logged', () => {
    apply('ENQUEUE', 'a', job)
    apply('DEAD', 'a', { reason: 'cancelled' })
    expect(apply('ENQUEUE', 'a', job).seq).toBe(3)
    expect(table.get('a')!.state).toBe('pending')
    expect(table.counts).toEqual({ pending: 1, inFlight: 0, finishedKept: 0 })
  })
})

describe('a transition that cannot be', () => {
  const no = 'TIDEMARK_JOB_TRANSITION'
  const stale = 'TIDEMARK_JOB_STALE_ATTEMPT'

  it('is refused: enqueueing twice, or not a whole job', async () => {
    apply('ENQUEUE', 'a', job)
    expect(await refusal('ENQUEUE', 'a', job)).toBe(no)
    for (const bad of [
      { payload: undefined },
      { timeoutMs: 0 },
      { timeoutMs: 'x' },
      { priority: 0.5 },
      { maxAttempts: 0 },
      { maxAttempts: null },
    ]) {
      expect(await refusal('ENQUEUE', 'b', { ...job, ...bad })).toBe(no)
    }
  })

  it('is refused: dispatching what is not pending, or under another number', async () => {
    expect(await refusal('DISPATCH', 'none', { attemptId: 1, attempt: 1 })).toBe(no)
    apply('ENQUEUE', 'a', job)
    expect(await refusal('DISPATCH', 'a', { attemptId: 1, attempt: 1 })).toBe(no)
    expect(await refusal('DISPATCH', 'a', { attemptId: 2, attempt: 2 })).toBe(no)
    dispatch('a')
    expect(await refusal('DISPATCH', 'a', { attemptId: 3, attempt: 2 })).toBe(no)
  })

  it('is refused: the late result of an older attempt', async () => {
    apply('ENQUEUE', 'a', job)
    dispatch('a', 1)
    apply('TIMEOUT', 'a', { attemptId: 2, delayMs: 0 })
    for (const type of ['ACK', 'RETRY', 'TIMEOUT', 'DEAD'] as const) {
      const detail = { attemptId: 2, delayMs: 0, reason: 'failed' }
      expect(await refusal(type, 'a', detail)).toBe(stale)
    }
    dispatch('a', 2)
    expect(await refusal('ACK', 'a', { attemptId: 2 })).toBe(stale)
    apply('ACK', 'a', { attemptId: 4 })
    expect(await refusal('ACK', 'a', { attemptId: 4 })).toBe(stale)
    expect(await refusal('ACK', 'none', { attemptId: 4 })).toBe(stale)
    expect(table.totals.completed).toBe(1)
  })

  it('is refused: an end of an attempt without delay or reason', async () => {
    apply('ENQUEUE', 'a', job)
    expect(await refusal('DEAD', 'a', { reason: 'failed' })).toBe(no)
    dispatch('a')
    expect(await refusal('RETRY', 'a', { attemptId: 2, delayMs: 1 })).toBe(no)
    expect(await refusal('RETRY', 'a', { attemptId: 2, reason: 'failed' })).toBe(no)
    expect(await refusal('TIMEOUT', 'a', { attemptId: 2, delayMs: -1 })).toBe(no)
    expect(await refusal('DEAD', 'a', { attemptId: 2, reason: 'x' })).toBe(no)
  })
})

describe('finished jobs', () => {
  function finish(id: string, atMs = seq): void {
    apply('ENQUEUE', id, job, atMs)
    apply('DEAD', id, { reason: 'cancelled' }, atMs)
  }

  it('are forgotten beyond their number, the first to finish first', () => {
    table = new JobTable({ count: 2, ageMs: Number.POSITIVE_INFINITY })
    for (const id of ['a', 'b', 'c']) finish(id)
    expect(['a', 'b', 'c'].map((id) => table.get(id)?.state)).toEqual([undefined, 'dead', 'dead'])
    expect([...table.finished.values()].map(({ id }) => id)).toEqual(['b', 'c'])
  })

  it('are forgotten beyond their age, which goes by the monotonic clock', () => {
    let wallMs = 1000
    let monotonicMs = 0
    const clock = { wallMs: () => wallMs, monotonicMs: () => monotonicMs }
    table = new JobTable({ count: 100, ageMs: 50 }, undefined, clock)
    finish('a', 1000)
    monotonicMs = 49
    wallMs = 900_000
    finish('b', 900_000)
    expect(['a', 'b'].map((id) => table.get(id)?.state)).toEqual(['dead', 'dead'])
    monotonicMs = 50
    expect(['a', 'b'].map((id) => table.get(id)?.state)).toEqual([undefined, 'dead'])
    expect(table.finished.size).toBe(2)
    expect(table.finished.forgetExpired()).toBe(49)
    expect([...table.finished.values()].map(({ id }) => id)).toEqual(['b'])
  })

  it('of a log have spent the age that the wall clock says, and never live longer than from now on', () => {
    const clock = { wallMs: () => 10_000, monotonicMs: () => 0 }
    table = new JobTable({ count: 100, ageMs: 50 }, undefined, clock)
    finish('too old', 9950)
    finish('old', 9960)
    finish('from the future', 99_000)
    expect(table.get('too old')).toBeUndefined()
    expect([...table.finished.values()].map(({ id }) => id)).toEqual(['old', 'from the future'])
    expect(table.finished.forgetExpired()).toBe(10)
  })

  it('are not kept at all when none are to be', () => {
    table = new JobTable({ count: 0, ageMs: Number.POSITIVE_INFINITY })
    finish('a')
    expect(table.get('a')).toBeUndefined()
    expect(table.counts.finishedKept).toBe(0)
  })

  it('outlive the stale entry of an id that was used again', () => {
    table = new JobTable({ count: 2, ageMs: Number.POSITIVE_INFINITY })
    finish('a')
    finish('a')
    expect([...table.finished.values()].length).toBe(1)
    finish('b')
    expect(table.get('a')).toBeDefined()
    expect(table.finished.size).toBe(2)
    finish('c')
    expect(table.get('a')).toBeUndefined()
  })
})
