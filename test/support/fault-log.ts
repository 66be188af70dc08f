import { segmentHeaderBytes } from '#tidemark/log/format/segment.js'
import type { LogRecord } from '#tidemark/log/read/log-record.js'
import { type RecoveredLog, recoverLog } from '#tidemark/log/recover/recovery.js'
import { segmentPaths } from './damaged-log.js'
import { fixClock, fixEpochs, freeEntropy } from './fixed-entropy.js'
import { InlineLog, type InlineLogOptions, inlineDirectory, readRecords } from './inline-log.js'
import { MemoryDisk } from './memory-disk.js'
import { Random } from './random.js'

/** A record as it was acknowledged. */
export interface Written {
  readonly lsn: number
  readonly payload: Buffer
}

export interface FaultBatch {
  /** Where it begins and ends. */
  readonly lsn: number
  readonly endLsn: number
  /** How many records end in it. */
  readonly records: number
  /** Whether it leaves no record unfinished. */
  readonly whole: boolean
}

export interface FaultSegment {
  readonly path: string
  readonly content: Buffer
  readonly firstLsn: number
  /** Where the next segment begins, or the log ends. */
  readonly endLsn: number
  readonly sealed: boolean
  readonly batches: readonly FaultBatch[]
}

/** A log whose every byte the tests know. */
export interface FaultLog {
  readonly disk: MemoryDisk
  /** Every record, in order; all of them were acknowledged. */
  readonly written: readonly Written[]
  /** Up to here a later batch says that it was synced; what is after it was synced too, but no batch says so yet. */
  readonly provenLsn: number
  readonly endLsn: number
  readonly segments: readonly FaultSegment[]
}

/** Segments of 16 KiB, and as little to fill with zeros at an opening as holds a batch. */
const faultLogOptions = { segmentBytes: 16 * 1024, initialSegmentBytes: 16 * 1024 } as const
const reopenOptions: InlineLogOptions = { segmentBytes: 16 * 1024, initialSegmentBytes: 4096 }

/**
 * A log of three segments with batches of one and of many records, records in several batches, one of them over a rotation, a sync
 * marker, and what was written last after the sync marker. The same bytes in every process.
 */
export function threeSegmentLog(seed = 1): FaultLog {
  const random = new Random(seed)
  const disk = new MemoryDisk()
  const written: Written[] = []
  fixEpochs(seed)
  fixClock(1_700_000_000_000)
  try {
    const log = new InlineLog(disk, faultLogOptions)
    const append = (bytes: number) => {
      const payload = Buffer.from(random.bytes(bytes))
      written.push({ lsn: log.append(payload), payload })
    }
    const appendTogether = (count: number) => {
      const payloads = Array.from({ length: count }, () => Buffer.from(random.bytes(random.int(90))))
      for (const [i, lsn] of log.appendTogether(payloads).entries())
        written.push({ lsn, payload: payloads[i]! })
    }
    const appendInPieces = (bytes: number) => {
      log.flushAll()
      const payload = Buffer.from(random.bytes(bytes))
      written.push({ lsn: log.producer.append(1, 0, payload), payload })
      log.flushAll()
    }
    const fillTo = (lsn: number) => {
      while (log.tail < lsn) {
        log.preallocator.preallocateOnce()
        if (random.int(3) === 0) appendTogether(2 + random.int(8))
        else append(4 + random.int(300))
        if (random.int(4) === 0) log.flushAll()
      }
    }
    fillTo(11_000)
    // This one continues in the second segment; a short one stays in one segment.
    appendInPieces(9500)
    fillTo(24_000)
    appendInPieces(5000)
    fillTo(41_000)
    log.flushAll()
    log.flusher.writeSyncMarker()
    log.flushAll()
    const provenLsn = log.released
    for (let i = 0; i < 2; i++) append(40 + random.int(90))
    appendTogether(3)
    log.flushAll()
    const segments = describeSegments(disk, log.released)
    return { disk, written, provenLsn, endLsn: log.released, segments }
  } finally {
    freeEntropy()
  }
}

/** The segments of a valid log, from their bytes alone. */
export function describeSegments(disk: MemoryDisk, endLsn: number): FaultSegment[] {
  const paths = segmentPaths(disk)
  const firstLsns = paths.map((path) => Number(/(\d+)\.wal$/.exec(path)![1]))
  return paths.map((path, i) => {
    const content = disk.contentOf(path)!
    const firstLsn = firstLsns[i]!
    const end = firstLsns[i + 1] ?? endLsn
    return {
      path,
      content,
      firstLsn,
      endLsn: end,
      sealed: i + 1 < paths.length,
      batches: batchesOf(content, firstLsn, end),
    }
  })
}

function batchesOf(content: Buffer, firstLsn: number, endLsn: number): FaultBatch[] {
  const batches: FaultBatch[] = []
  for (let lsn = firstLsn; lsn < endLsn; lsn = batches.at(-1)!.endLsn) {
    const at = segmentHeaderBytes + lsn - firstLsn
    const headers = content.readUInt16LE(at + 8)
    const whole = headers === 0 || (content[at + 32 + 5]! & 1) === 0
    batches.push({ lsn, endLsn: lsn + content.readUInt32LE(at), records: whole ? headers : 0, whole })
  }
  return batches
}

/** A disk that holds the files of `log`, of which `change` says what to put in place of each; and what it holds. */
export function diskWith(
  log: FaultLog,
  change: (segment: FaultSegment, index: number) => Uint8Array | undefined,
): { disk: MemoryDisk; files: ReadonlyMap<string, Uint8Array> } {
  const disk = new MemoryDisk()
  const files = new Map<string, Uint8Array>()
  for (const [i, segment] of log.segments.entries()) {
    const content = change(segment, i)
    if (!content) continue
    disk.replace(segment.path, content)
    files.set(segment.path, content)
  }
  return { disk, files }
}

/** The recovery of a log, without the threads' memory. */
export function recover(disk: MemoryDisk): RecoveredLog {
  return recoverLog({
    disk,
    directory: inlineDirectory,
    kind: 'log',
    contentVersion: 1,
    maxBatchBytes: 4096,
    initialSegmentBytes: 4096,
  })
}

/** What an opening says: the log, or the error with which it refuses. */
export function tryRecover(disk: MemoryDisk): { log: RecoveredLog } | { refused: Refusal } {
  try {
    return { log: recover(disk) }
  } catch (error) {
    const refused = error as Refusal
    if (!refused.code?.startsWith('TIDEMARK_')) throw error
    return { refused }
  }
}

export interface Refusal extends Error {
  readonly code: string
  readonly details: { readonly file?: string; readonly offset?: number; readonly lsn?: number }
}

const extra = Buffer.from('appended after the recovery')

/**
 * Lives on with a disk after a fault: `opened` is its first opening. Whatever was recovered must be the first of
 * `written`, without a gap and byte for byte; a second opening must find the same; and what is appended then must be
 * there, after it, when the power was cut. Returns how many records were kept. `where` names the case.
 */
export function liveOn(
  disk: MemoryDisk,
  opened: RecoveredLog,
  written: readonly Written[],
  where: () => string,
): number {
  const { endLsn, firstLsn } = opened.report
  const kept = comparePrefix(readRecords(disk, firstLsn, endLsn), written, where)
  const again = new InlineLog(disk, reopenOptions)
  const { report } = again.recovered
  if (report.endLsn !== endLsn || report.tornTail) {
    throw new Error(`${where()}: opened again, the log ends at ${report.endLsn} and not at ${endLsn}`)
  }
  if (comparePrefix(readRecords(disk, firstLsn, endLsn), written, where) !== kept)
    throw new Error(`${where()}: opened again, the log has other records`)
  const lsn = again.append(extra)
  again.flushAll()
  if (again.released < lsn) throw new Error(`${where()}: LSN ${lsn} was not released`)
  const after = disk.powerCut()
  const third = recover(after)
  const records = readRecords(after, firstLsn, third.report.endLsn)
  const last = records.pop()
  if (last?.lsn !== lsn || !extra.equals(last.payload))
    throw new Error(`${where()}: what was appended after the recovery is gone`)
  if (comparePrefix(records, written, where) !== kept)
    throw new Error(`${where()}: after an append, the log has other records`)
  return kept
}

/** How many records there are, if they are the first that were written. */
function comparePrefix(
  records: readonly LogRecord[],
  written: readonly Written[],
  where: () => string,
): number {
  for (const [i, { lsn, payload }] of records.entries()) {
    const expected = written[i]
    if (expected?.lsn !== lsn) throw new Error(`${where()}: record ${i} has LSN ${lsn}, not ${expected?.lsn}`)
    if (!expected.payload.equals(payload))
      throw new Error(`${where()}: the record at LSN ${lsn} has other bytes`)
  }
  return records.length
}

/** Throws unless an opening refused the log at exactly this place, and left every byte of it as it was. */
export function expectRefusal(
  opening: ReturnType<typeof tryRecover>,
  before: ReadonlyMap<string, Uint8Array>,
  after: MemoryDisk,
  place: { readonly file: string; readonly offset: number; readonly lsn: number },
  where: () => string,
): void {
  if (!('refused' in opening)) throw new Error(`${where()}: opened, up to LSN ${opening.log.report.endLsn}`)
  const { code, details, message } = opening.refused
  const { file, offset, lsn } = details
  if (
    code !== 'TIDEMARK_LOG_CORRUPT' ||
    file !== place.file ||
    offset !== place.offset ||
    lsn !== place.lsn
  ) {
    throw new Error(`${where()}: expected corruption at ${JSON.stringify(place)}, got ${code}: ${message}`)
  }
  for (const [path, content] of before) {
    if (!after.contentOf(path)?.equals(content)) throw new Error(`${where()}: ${path} was changed`)
  }
}
