import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LiveJob } from '#tidemark/jobs/job.js'
import { PendingQueue } from '#tidemark/jobs/state/pending-queue.js'

function pending(seq: number, priority = 0): LiveJob {
  return {
    id: `job-${seq}`,
    payloadJson: 'null',
    timeoutMs: 1,
    maxAttempts: 1,
    enqueuedAtMs: 0,
    state: 'pending',
    attempts: 0,
    interrupted: 0,
    attemptId: 0,
    lsn: 0,
    readySinceMs: 0,
    seq,
    priority,
    dueMs: 0,
    delayMs: 0,
    cut: 0,
  }
}

function drain(queue: PendingQueue, nowMs = 0): number[] {
  const seqs: number[] = []
  for (let job = queue.first(nowMs); job; job = queue.first(nowMs)) {
    queue.takeFirst()
    seqs.push(job.seq)
  }
  return seqs
}

describe('PendingQueue', () => {
  it('gives higher priority first, then the order of enqueue, whatever the order of adding', () => {
    const jobs = fc.uniqueArray(fc.record({ seq: fc.nat(1000), priority: fc.integer({ min: -2, max: 2 }) }), {
      selector: ({ seq }) => seq,
    })
    fc.assert(
      fc.property(jobs, (given) => {
        const queue = new PendingQueue()
        for (const { seq, priority } of given) queue.add(pending(seq, priority), 0, 0)
        const expected = [...given].sort((a, b) => b.priority - a.priority || a.seq - b.seq)
        expect(drain(queue)).toEqual(expected.map(({ seq }) => seq))
      }),
    )
  })

  it('gives the jobs of an opening in the same order as jobs that come one by one', () => {
    const queue = new PendingQueue()
    const jobs = Array.from({ length: 500 }, (_, seq) => pending((seq * 37) % 500, seq % 3))
    queue.add(pending(1000, 1), 0, 0)
    queue.addAll(jobs, 0, ({ seq }) => (seq < 100 ? 50 : 0))
    const order = (list: LiveJob[]) => list.sort((a, b) => b.priority - a.priority || a.seq - b.seq)
    const early = order([...jobs.filter(({ seq }) => seq >= 100), pending(1000, 1)])
    expect(drain(queue)).toEqual(early.map(({ seq }) => seq))
    expect(drain(queue, 50)).toEqual(order(jobs.filter(({ seq }) => seq < 100)).map(({ seq }) => seq))
  })

  it('gives a job that came back its old place', () => {
    const queue = new PendingQueue()
    const [a, b, c] = [pending(1), pending(2), pending(3)]
    for (const job of [a, b, c]) queue.add(job, 0, 0)
    expect(queue.first(0)).toBe(a)
    queue.takeFirst()
    queue.add(a, 0, 0)
    expect(drain(queue)).toEqual([1, 2, 3])
  })

  it('holds a delayed job back until it is due, and then gives it its place', () => {
    const queue = new PendingQueue()
    queue.add(pending(1), 0, 100)
    queue.add(pending(2), 0, 50)
    queue.add(pending(3), 0, 0)
    expect(queue.nextDueMs).toBe(50)
    expect(drain(queue, 49)).toEqual([3])
    expect(drain(queue, 50)).toEqual([2])
    expect(queue.nextDueMs).toBe(100)
    queue.add(pending(4), 100, 0)
    expect(drain(queue, 100)).toEqual([1, 4])
    expect(queue.nextDueMs).toBeUndefined()
  })

  it('passes over jobs that ended where they were', () => {
    const queue = new PendingQueue()
    const jobs = [pending(1), pending(2), pending(3)]
    for (const job of jobs) queue.add(job, 0, job.seq === 3 ? 10 : 0)
    jobs[0]!.state = 'dead'
    jobs[2]!.state = 'dead'
    queue.noteStale()
    queue.noteStale()
    expect(queue.nextDueMs).toBeUndefined()
    expect(drain(queue, 100)).toEqual([2])
  })

  it('sweeps out jobs that ended, also after one that stays', () => {
    const queue = new PendingQueue()
    queue.add(pending(1, 9), 0, 0)
    for (let seq = 2; seq < 10_000; seq++) {
      const job = pending(seq)
      queue.add(job, 0, seq % 2 ? 0 : 1e9)
      job.state = 'dead'
      queue.noteStale()
    }
    expect(queue.readySize).toBeLessThan(600)
    expect(drain(queue)).toEqual([1])
  })
})
