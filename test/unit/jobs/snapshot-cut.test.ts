import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { JobEventDetail, JobEventType } from '#tidemark/jobs/index.js'
import { JobTable } from '#tidemark/jobs/state/job-table.js'
import { readSnapshot, writeSnapshot } from '#tidemark/jobs/state/snapshot.js'
import { SnapshotCut } from '#tidemark/jobs/state/snapshot-cut.js'
import { Random } from '../../support/random.js'
import { temporaryDirectory } from '../../support/temporary.js'

const keep = { count: 12, ageMs: Number.POSITIVE_INFINITY }

function below(seed: number): (limit: number) => number {
  const random = new Random(seed)
  return (limit) => random.int(limit)
}

/** A table that takes random changes, each of which its jobs can make. */
class ChangingTable {
  readonly table = new JobTable(keep)
  seq = 0
  readonly #random: (below: number) => number

  constructor(seed: number) {
    this.#random = below(seed)
  }

  get lsn(): number {
    return this.seq * 8
  }

  change(): void {
    const id = `job-${this.#random(60)}`
    const job = this.table.live.get(id)
    // As a queue does: an id that is still known is not enqueued again.
    if (this.table.finished.get(id)) return
    if (!job) {
      const payload = { text: 'x'.repeat(this.#random(30)), n: this.seq }
      this.#apply('ENQUEUE', id, { payload, timeoutMs: 1000, priority: this.#random(3), maxAttempts: 3 })
    } else if (job.state === 'pending') {
      if (this.#random(8) === 0) this.#apply('DEAD', id, { reason: 'cancelled' })
      else this.#apply('DISPATCH', id, { attemptId: this.seq + 1, attempt: job.attempts + 1, worker: 'w' })
    } else {
      const { attemptId } = job
      const turn = this.#random(4)
      if (turn === 0) this.#apply('RETRY', id, { attemptId, delayMs: 5, reason: 'failed', error: 'e' })
      else if (turn === 1) this.#apply('DEAD', id, { attemptId, reason: 'failed', error: 'e' })
      else this.#apply('ACK', id, { attemptId })
    }
  }

  /** Everything that a snapshot of now holds. */
  state(): unknown {
    const live = [...this.table.live.values()].sort((a, b) => a.seq - b.seq)
    return structuredClone({
      live: live.map(({ lsn: _, cut: __, readySinceMs: ___, ...job }) => job),
      finished: [...this.table.finished.values()].map(({ lsn: _, cut: __, ...job }) => job),
      totals: this.table.totals,
      counts: this.table.counts,
    })
  }

  #apply(type: JobEventType, jobId: string, detail: JobEventDetail): void {
    const event = { seq: ++this.seq, type, jobId, detail, atMs: this.seq, checksum: 0 }
    this.table.check(event)
    this.table.apply(event, this.lsn)
  }
}

describe('a snapshot of a table that keeps changing', () => {
  it('is the table of the moment in which it was begun', async () => {
    const dir = temporaryDirectory()
    const random = below(4711)
    let chunks = 0
    let changes = 0
    for (let seed = 1; seed <= 60; seed++) {
      const jobs = new ChangingTable(seed)
      for (let n = random(300); n > 0; n--) jobs.change()
      const expected = jobs.state()
      const { seq: lastSeq, lsn } = jobs
      const cut = new SnapshotCut(jobs.table, lastSeq, lsn, 300)
      const pieces: Buffer[] = []
      for (let n = random(40); n > 0; n--, changes++) jobs.change()
      for (const piece of cut.chunks()) {
        pieces.push(piece)
        chunks++
        for (let n = random(25); n > 0; n--, changes++) jobs.change()
      }
      cut.end()
      await writeSnapshot(dir, pieces)
      const snapshot = (await readSnapshot(dir, keep))!
      const read = new ChangingTable(0)
      Object.assign(read, { table: snapshot.table })
      expect(read.state(), `seed ${seed}`).toEqual(expected)
      expect(snapshot).toMatchObject({ lastSeq, lsn })
    }
    expect(chunks).toBeGreaterThan(300)
    expect(changes).toBeGreaterThan(3000)
  })

  it('goes into chunks of a bounded size, whose CRC is that of the whole', () => {
    const jobs = new ChangingTable(7)
    for (let n = 0; n < 300; n++) jobs.change()
    const cut = new SnapshotCut(jobs.table, jobs.seq, jobs.lsn, 300)
    const pieces = [...cut.chunks()]
    cut.end()
    expect(pieces.length).toBeGreaterThan(5)
    expect(Math.max(...pieces.map(({ byteLength }) => byteLength))).toBeLessThan(1000)
    const crc = crc32(Buffer.concat(pieces.slice(0, -1)))
    expect(pieces.at(-1)!.toString()).toBe(`{"crc":${crc}}\n`)
  })

  it('leaves nothing that looks at later changes when it is over', () => {
    const jobs = new ChangingTable(9)
    for (let n = 0; n < 50; n++) jobs.change()
    const cut = new SnapshotCut(jobs.table, jobs.seq, jobs.lsn)
    let kept = 0
    Object.assign(cut, { keepLive: () => kept++, keepFinished: () => kept++ })
    for (let n = 0; n < 100; n++) jobs.change()
    expect(kept).toBeGreaterThan(10)
    cut.end()
    const before = kept
    for (let n = 0; n < 100; n++) jobs.change()
    expect(kept).toBe(before)
  })
})
