import * as fs from 'node:fs'
import * as path from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { LiveJob } from '#tidemark/jobs/job.js'
import { JobTable } from '#tidemark/jobs/state/job-table.js'
import { readSnapshot, snapshotName, writeSnapshot } from '#tidemark/jobs/state/snapshot.js'
import { SnapshotCut } from '#tidemark/jobs/state/snapshot-cut.js'
import { blockAtomicFiles } from '../../support/blocked-files.js'
import { temporaryDirectory } from '../../support/temporary.js'
import { failureOf } from './support/folders.js'

const keep = { count: 100_000, ageMs: Number.POSITIVE_INFINITY }

function job(seq: number, more: Partial<LiveJob> = {}): LiveJob {
  return {
    id: `job-${seq}`,
    payloadJson: JSON.stringify({ text: 'ä\n'.repeat(seq % 50), seq }),
    priority: seq % 3,
    timeoutMs: 1000,
    maxAttempts: 3,
    seq,
    enqueuedAtMs: 1000 + seq,
    state: 'pending',
    attempts: 1,
    interrupted: 0,
    attemptId: 0,
    dueMs: 0,
    delayMs: 0,
    lsn: 0,
    readySinceMs: 0,
    cut: 0,
    ...more,
  }
}

function filled(live: number, finished: number): JobTable {
  const table = new JobTable(keep)
  for (let seq = 1; seq <= live; seq++) table.restore(job(seq))
  for (let n = 0; n < finished; n++) {
    const dead = n % 2 === 1
    table.finished.add({
      id: `done-${n}`,
      state: dead ? 'dead' : 'completed',
      attempts: 1,
      finishedAtMs: n,
      reason: dead ? 'failed' : undefined,
      error: dead ? 'boom' : undefined,
      lsn: 0,
      cut: 0,
    })
  }
  table.totals.completed = 12
  return table
}

async function saved(table: JobTable, dir = temporaryDirectory()): Promise<{ dir: string; file: string }> {
  await writeSnapshot(dir, new SnapshotCut(table, 9999, 4096).chunks())
  return { dir, file: path.join(dir, snapshotName) }
}

/** Replaces the lines of a snapshot before the last, with a checksum that fits. */
function rewrite(file: string, change: (lines: string[]) => string[]): void {
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, -1)
  const body = `${change(lines).join('\n')}\n`
  fs.writeFileSync(file, `${body}{"crc":${crc32(body)}}\n`)
}

describe('a snapshot', () => {
  it('returns every job, in order, and where the log continues', async () => {
    const table = filled(3000, 500)
    table.restore(job(5000, { state: 'inFlight', attemptId: 77, attempts: 2 }))
    table.restore(job(5001, { dueMs: 123_456, delayMs: 456, interrupted: 1 }))
    const { dir } = await saved(table)
    const snapshot = (await readSnapshot(dir, keep))!
    expect(snapshot).toMatchObject({ lastSeq: 9999, lsn: 4096 })
    // The two that are no part of the state.
    const uncut = (jobs: Iterable<object>) => [...jobs].map((job) => ({ ...job, cut: 0 }))
    const stateOf = (jobs: Iterable<object>) => uncut(jobs).map((job) => ({ ...job, readySinceMs: 0 }))
    expect(stateOf(snapshot.table.live.values())).toEqual(stateOf(table.live.values()))
    expect(uncut(snapshot.table.finished.values())).toEqual(uncut(table.finished.values()))
    expect(snapshot.table.totals).toEqual(table.totals)
    expect(snapshot.table.counts).toEqual({ pending: 3001, inFlight: 1, finishedKept: 500 })
    expect(fs.readdirSync(dir)).toEqual([snapshotName])
  })

  it('of an empty table is read too, and a missing one is none', async () => {
    const { dir } = await saved(filled(0, 0))
    expect((await readSnapshot(dir, keep))!.table.counts).toEqual({
      pending: 0,
      inFlight: 0,
      finishedKept: 0,
    })
    expect(await readSnapshot(temporaryDirectory(), keep)).toBeUndefined()
  })

  it('keeps only as many finished jobs as are to be kept', async () => {
    const { dir } = await saved(filled(0, 50))
    const snapshot = (await readSnapshot(dir, { ...keep, count: 5 }))!
    expect([...snapshot.table.finished.values()].map(({ id }) => id)).toEqual([
      'done-45',
      'done-46',
      'done-47',
      'done-48',
      'done-49',
    ])
  })

  it('of an unknown version is refused with a code', async () => {
    const { dir, file } = await saved(filled(1, 1))
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"schemaVersion":1', '"schemaVersion":2'))
    expect(await failureOf(() => readSnapshot(dir, keep))).toBe('TIDEMARK_JOB_SNAPSHOT_VERSION')
  })

  it('is refused when any byte of it is another', async () => {
    const { dir, file } = await saved(filled(2, 2))
    const whole = fs.readFileSync(file)
    for (let at = 0; at < whole.byteLength; at++) {
      const bytes = Buffer.from(whole)
      bytes[at] = bytes[at]! ^ 0x04
      fs.writeFileSync(file, bytes)
      const code = await failureOf(() => readSnapshot(dir, keep))
      expect(code, `byte ${at}`).toMatch(/^TIDEMARK_JOB_SNAPSHOT_(CORRUPT|VERSION)$/)
    }
  })

  it('is refused wherever it ends too early, and when something follows', async () => {
    const { dir, file } = await saved(filled(2, 2))
    const whole = fs.readFileSync(file)
    for (let bytes = 0; bytes < whole.byteLength - 1; bytes++) {
      fs.writeFileSync(file, whole.subarray(0, bytes))
      expect(await failureOf(() => readSnapshot(dir, keep)), `${bytes} bytes`).toBe(
        'TIDEMARK_JOB_SNAPSHOT_CORRUPT',
      )
    }
    fs.writeFileSync(file, Buffer.concat([whole, Buffer.from('{"crc":1}\n')]))
    expect(await failureOf(() => readSnapshot(dir, keep))).toBe('TIDEMARK_JOB_SNAPSHOT_CORRUPT')
  })

  it.each([
    ['another kind of file', (lines: string[]) => ['{"tidemark":"other"}', ...lines.slice(1)]],
    [
      'a first line without a number',
      (lines: string[]) => [lines[0]!.replace('"lsn":4096', '"lsn":null'), ...lines.slice(1)],
    ],
    [
      'a job without an id',
      (lines: string[]) => [lines[0]!, lines[1]!.replace('"id"', '"ID"'), ...lines.slice(2)],
    ],
    [
      'a job without a payload',
      (lines: string[]) => [lines[0]!, lines[1]!.replace('"payload"', '"Payload"'), ...lines.slice(2)],
    ],
    [
      'a finished job without a time',
      (lines: string[]) => [...lines.slice(0, -1), lines.at(-1)!.replace('"finishedAtMs"', '"at"')],
    ],
    ['a line that is no object', (lines: string[]) => [lines[0]!, '7', ...lines.slice(2)]],
    ['a line too few', (lines: string[]) => lines.slice(0, -1)],
  ])('is refused for %s, though its checksum fits', async (_what, change) => {
    const { dir, file } = await saved(filled(2, 2))
    rewrite(file, (lines) => lines)
    await readSnapshot(dir, keep)
    rewrite(file, change)
    expect(await failureOf(() => readSnapshot(dir, keep))).toBe('TIDEMARK_JOB_SNAPSHOT_CORRUPT')
  })

  it('that cannot be written leaves the one before', async () => {
    const { dir, file } = await saved(filled(1, 0))
    const before = fs.readFileSync(file)
    blockAtomicFiles(dir)
    expect(await failureOf(() => writeSnapshot(dir, new SnapshotCut(filled(2, 0), 1, 8).chunks()))).toBe(
      'TIDEMARK_JOB_SNAPSHOT_IO',
    )
    expect(fs.readFileSync(file)).toEqual(before)
  })

  it('that cannot be read is an error with a code', async () => {
    const dir = temporaryDirectory()
    fs.mkdirSync(path.join(dir, snapshotName))
    expect(await failureOf(() => readSnapshot(dir, keep))).toBe('TIDEMARK_JOB_SNAPSHOT_IO')
  })
})
