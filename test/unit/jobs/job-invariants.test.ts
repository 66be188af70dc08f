import { describe, expect, it } from 'vitest'
import { DurableFifo } from '#tidemark/jobs/events/durable-fifo.js'
import type { JobEvent, JobEventDetail, JobEventType } from '#tidemark/jobs/index.js'
import { JobTable } from '#tidemark/jobs/state/job-table.js'
import { SnapshotCut } from '#tidemark/jobs/state/snapshot-cut.js'

const invariant = expect.objectContaining({ code: 'TIDEMARK_INVARIANT' })
const detail = { payload: null, timeoutMs: 1000, priority: 0, maxAttempts: 3 }

function event(seq: number, type: JobEventType, more: JobEventDetail = {}): JobEvent {
  return { seq, type, jobId: 'a', atMs: 1, detail: more, checksum: 0 }
}

function newTable(): JobTable {
  return new JobTable({ count: 10, ageMs: Number.POSITIVE_INFINITY })
}

describe('a table of jobs', () => {
  it('applies no event of a job that is not live', () => {
    expect(() => newTable().apply(event(1, 'ACK', { attemptId: 1 }), 64)).toThrow(invariant)
  })

  it('applies in the tests no transition that its check refuses', () => {
    const table = newTable()
    table.apply(event(1, 'ENQUEUE', detail), 64)
    expect(() => table.apply(event(2, 'ACK', { attemptId: 1 }), 128)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_JOB_STALE_ATTEMPT' }),
    )
  })

  it('is cut for a snapshot only if it counts the jobs in flight right', () => {
    const table = newTable()
    const job = table.apply(event(1, 'ENQUEUE', detail), 64)
    new SnapshotCut(table, 1, 64).end()
    job.state = 'inFlight'
    expect(() => new SnapshotCut(table, 1, 64)).toThrow(invariant)
  })
})

describe('what waits for the log', () => {
  it('is added in the order of its LSNs', async () => {
    const fifo = new DurableFifo({ durableLsn: 128, waitDurable: async () => {} })
    fifo.add(
      128,
      () => {},
      () => {},
    )
    expect(() =>
      fifo.add(
        64,
        () => {},
        () => {},
      ),
    ).toThrow(invariant)
  })
})
