import type { Disk } from '../disk/disk.js'
import { anyKind, requireKind } from '../format/log-kind.js'
import type { SegmentHeader } from '../format/segment.js'
import { damageReason } from '../read/damage-reason.js'
import type { LogDamage } from '../recover/damage-report.js'
import { type HeaderProbe, probeHeader, readHeaderBlock } from './header-probe.js'
import { chainDamage, type PlacedDamage, settleHeader } from './inspection-chain.js'
import { InspectedRecords } from './inspection-records.js'
import {
  type InspectedSegment,
  type InspectionStep,
  type InspectionVisitor,
  type LogInspection,
  losesBytes,
  verdictOf,
} from './inspection-report.js'
import { InspectionWalk, type WalkSink } from './inspection-walk.js'
import { successorOf } from './log-end.js'
import { type LogFile, listLogFiles, openLogFile } from './log-files.js'

const settleMs = 50
const settleTries = 10
/** How often the walk continues at an end that moves meanwhile: all that was there at first is read by then. */
const followsMax = 20

/** A place of the last segment where no valid batch begins. Only the synced LSNs of all batches show whether it is torn or corrupt. */
interface OpenGap {
  readonly lsn: number
  readonly endLsn: number
  readonly wholeEndLsn: number
  /** Records of the log before it. */
  readonly records: number
  readonly reason: string
}

/** A file with its header as known before it is walked. */
interface ListedFile extends LogFile {
  readonly fileBytes: number
  readonly probe: HeaderProbe | undefined
}

export interface InspectionOptions {
  /** The kind of the log: another is refused before anything is read. Default `any`: an inspection only reads. */
  readonly kind?: string
  /** Whether an end that looks unfinished is looked at again before it is judged. Default true. */
  readonly settle?: boolean
  /** Begins at the segment that holds this LSN. What is before it is not judged. */
  readonly fromLsn?: number
}

/**
 * Reads a whole log and collects all that is wrong with it, from the first segment to the end of the one that is last
 * when the inspection begins. It takes no lock and writes nothing, so the log may be in use meanwhile: files may
 * grow, get their final name or be removed meanwhile, and a tail that looks unfinished is judged only when it stays so
 * over half a second.
 *
 * A generator, so that the caller can show progress, wait when it is asked to, and stop.
 *
 * @throws LogError `TIDEMARK_LOG_IO` when the folder, or too much of a file, can't be read; `TIDEMARK_LOG_FORMAT` for
 *   a format version that this build does not know; `TIDEMARK_LOG_KIND`.
 */
export function* inspectLog(
  disk: Disk,
  directory: string,
  visitor: InspectionVisitor = {},
  options: InspectionOptions = {},
): Generator<InspectionStep, LogInspection> {
  return yield* new LogInspector(disk, directory, visitor, options).run()
}

/** Runs an inspection to its end without a pause. Blocks the thread. */
export function inspectLogNow(
  disk: Disk,
  directory: string,
  visitor: InspectionVisitor = {},
  options: InspectionOptions = {},
): LogInspection {
  const steps = inspectLog(disk, directory, visitor, options)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

class LogInspector {
  readonly #disk: Disk
  readonly #directory: string
  readonly #visitor: InspectionVisitor
  readonly #kind: string
  readonly #settle: boolean
  readonly #fromLsn: number
  readonly #damage: LogDamage[] = []
  readonly #segments: InspectedSegment[] = []
  readonly #sink: WalkSink
  #records: InspectedRecords
  #before: InspectedSegment | undefined
  /** Records that ended before the file under inspection. */
  #recordsBefore = 0
  #bytesDone = 0
  #bytesTotal = 0

  constructor(disk: Disk, directory: string, visitor: InspectionVisitor, options: InspectionOptions) {
    this.#disk = disk
    this.#directory = directory
    this.#visitor = visitor
    this.#kind = options.kind ?? anyKind
    this.#settle = options.settle ?? true
    this.#fromLsn = options.fromLsn ?? 0
    this.#records = new InspectedRecords(visitor, 0)
    this.#sink = {
      batch: (walk) => this.#records.add(walk),
    }
  }

  *run(): Generator<InspectionStep, LogInspection> {
    requireKind(this.#disk, this.#directory, this.#kind)
    const all = listLogFiles(this.#disk, this.#directory)
    const first = all.findLastIndex(({ firstLsn }) => firstLsn <= this.#fromLsn)
    const files = all.slice(Math.max(0, first)).map((file) => this.#look(file))
    this.#bytesTotal = files.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
    this.#records = new InspectedRecords(this.#visitor, files[0]?.firstLsn ?? 0)
    for (let i = 0; i < files.length; i++) {
      const file = files[i]!
      const opened = openLogFile(this.#disk, this.#directory, file)
      if (!opened) {
        this.#passOver(file, files)
        continue
      }
      const damageBefore = this.#damage.length
      try {
        yield* this.#inspectFile({ ...file, path: opened.path }, opened.handle, files[i + 1])
      } finally {
        this.#disk.close(opened.handle)
      }
      if (this.#damage.length > damageBefore && this.#isRemoved(file)) {
        // Removed while it was read: its file may hold other batches by now, and what was found says nothing.
        this.#damage.length = damageBefore
        this.#segments.pop()
        this.#passOver(file, files)
      }
    }
    return this.#result()
  }

  /**
   * Leaves out a segment that retention has removed since it was listed, as it does from the front: the log begins after
   * it now. When that was the last one, the inspection continues with those that have come since, to the log's end.
   */
  #passOver({ firstLsn }: ListedFile, files: ListedFile[]): void {
    this.#records.interrupt()
    this.#before = undefined
    if (files.at(-1)!.firstLsn > firstLsn) return
    const later = listLogFiles(this.#disk, this.#directory).filter((file) => file.firstLsn > firstLsn)
    const looked = later.map((file) => this.#look(file))
    this.#bytesTotal += looked.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
    files.push(...looked)
  }

  #isRemoved({ firstLsn }: LogFile): boolean {
    const first = listLogFiles(this.#disk, this.#directory)[0]
    return first !== undefined && firstLsn < first.firstLsn
  }

  /** Reads the header ahead, for the neighbours' sake, and the size. */
  #look(file: LogFile): ListedFile {
    const opened = openLogFile(this.#disk, this.#directory, file)
    if (!opened) return { ...file, fileBytes: 0, probe: undefined }
    try {
      const probe = probeHeader(readHeaderBlock(this.#disk, opened.path, opened.handle))
      return { ...file, fileBytes: this.#disk.size(opened.handle), probe }
    } finally {
      this.#disk.close(opened.handle)
    }
  }

  *#inspectFile(file: LogFile, handle: number, next: ListedFile | undefined): Generator<InspectionStep> {
    this.#recordsBefore = this.#records.records
    const probe = probeHeader(readHeaderBlock(this.#disk, file.path, handle))
    const before = this.#before
    const successor = next?.probe?.header
    const settled = settleHeader(this.#disk, file, handle, probe, before, successor)
    const { header, inferred: headerInferred } = settled
    if (settled.damage) this.#report(settled.damage)
    const chain = before && chainDamage(file, header, before)
    if (chain) {
      this.#report(chain)
      this.#skip(chain.lsn, file.firstLsn, file.path)
    } else if (!before && file.firstLsn > 0) {
      if (header && !headerInferred) this.#records.begin(file.firstLsn, file.path)
      else this.#records.interrupt()
    }
    const fileBytes = this.#disk.size(handle)
    const { path, firstLsn } = file
    const segment = { path, firstLsn, fileBytes, sealed: next !== undefined, header, headerInferred }
    if (header) {
      const walk = new InspectionWalk(this.#disk, handle, file.path, header, this.#sink)
      if (next) yield* this.#walkSealed(walk, this.#limitOf(file, header, next), next.firstLsn)
      else yield* this.#walkLast(walk)
      this.#before = { ...segment, endLsn: walk.position, batches: walk.batches }
    } else {
      this.#skip(firstLsn, next?.firstLsn ?? settled.damage!.endLsn, path)
      this.#before = { ...segment, endLsn: firstLsn, batches: 0 }
    }
    this.#segments.push(this.#before)
    this.#bytesDone += fileBytes
  }

  /** Where a segment with a successor ends; `undefined` when a segment between the two is missing. */
  #limitOf(file: LogFile, header: SegmentHeader, next: ListedFile): number | undefined {
    const named = next.probe?.header?.firstLsn === next.firstLsn ? next.probe.header.previous : undefined
    const adjoins = named === undefined || named.firstLsn === header.firstLsn
    return adjoins || next.firstLsn < file.firstLsn ? next.firstLsn : undefined
  }

  *#walkSealed(
    walk: InspectionWalk,
    knownLimit: number | undefined,
    nextFirstLsn: number,
  ): Generator<InspectionStep> {
    const limit = knownLimit ?? Math.min(nextFirstLsn, walk.fileEndLsn)
    for (;;) {
      const state = walk.advance(limit)
      yield this.#step(walk)
      if (state === 'slice') continue
      if (state === 'end') break
      const { lsn, lastWrittenLsn } = walk.findNext(limit)
      if (knownLimit === undefined && lsn === undefined && lastWrittenLsn === walk.position) break
      const reason = walk.unreadable
        ? `${damageReason(state)}, where the disk could not be read`
        : damageReason(state)
      const place = { file: walk.path, offset: walk.offset(walk.position), lsn: walk.position }
      this.#report({
        kind: 'batch',
        ...place,
        endLsn: lsn ?? limit,
        reason: `${reason}, in a sealed segment`,
      })
      this.#skip(walk.position, lsn ?? limit, walk.path)
      if (lsn === undefined) return
      walk.position = lsn
    }
  }

  /** Walks the last segment to where it ends, and judges what stands there. */
  *#walkLast(walk: InspectionWalk): Generator<InspectionStep> {
    const gaps: OpenGap[] = []
    let tries = this.#settle ? settleTries : 0
    let follows = 0
    let limit: number | undefined
    for (;;) {
      const end = limit ?? walk.fileEndLsn
      const state = walk.advance(end)
      yield this.#step(walk)
      if (state === 'slice') continue
      limit ??= this.#successorOf(walk)
      if (limit !== undefined && walk.position >= limit) break
      if (limit !== undefined && limit !== end) continue
      const { lsn, lastWrittenLsn } = walk.findNext(end)
      const clean = lsn === undefined && lastWrittenLsn === walk.position
      if (clean && !this.#records.unfinished && limit === undefined) break
      if (tries > 0) {
        tries--
        yield { ...this.#step(walk), waitMs: settleMs }
        if (this.#wasReplaced(walk)) break
        if (walk.isValidNow()) {
          if (++follows === followsMax) {
            this.#judgeGaps(walk, gaps)
            return
          }
          tries = settleTries
        }
        continue
      }
      if (clean && limit === undefined) break
      const endLsn = lsn ?? limit ?? lastWrittenLsn
      const reason = damageReason(state === 'end' ? 'truncated' : state)
      const { records, wholeEndLsn } = this.#records
      gaps.push({ lsn: walk.position, endLsn, wholeEndLsn, records, reason })
      this.#skip(walk.position, endLsn, walk.path)
      if (lsn === undefined) break
      walk.position = lsn
    }
    if (limit !== undefined) this.#records.syncedLsn = Math.max(this.#records.syncedLsn, limit)
    const torn = this.#judgeGaps(walk, gaps)
    // In a segment that is sealed by now, the last record may continue in the next one.
    if (!torn && (limit === undefined || walk.position < limit)) this.#judgeEnd(walk)
  }

  /**
   * Distinguishes the torn tail from corruption by the synced LSNs that the valid batches carry, wherever they stand. All of
   * them were read by now: a place where a valid batch stands when it is read again was only being written. Returns whether
   * there is a torn tail.
   */
  #judgeGaps(walk: InspectionWalk, gaps: readonly OpenGap[]): boolean {
    const { syncedLsn } = this.#records
    const at = (lsn: number) => ({ file: walk.path, offset: walk.offset(lsn), lsn })
    for (const [i, gap] of gaps.entries()) {
      if (this.#settle && walk.isValidNow(gap.lsn)) continue
      if (syncedLsn > gap.lsn) {
        const reason = `${gap.reason}, though the log was synced up to LSN ${syncedLsn}`
        this.#report({ kind: 'batch', ...at(gap.lsn), endLsn: gap.endLsn, reason }, gap)
        continue
      }
      const endLsn = Math.max(walk.position, ...gaps.slice(i).map((later) => later.endLsn))
      this.#report({ kind: 'torn-tail', ...at(gap.lsn), endLsn, reason: gap.reason }, gap)
      return true
    }
    return false
  }

  /** Judges where the batches of the last segment end. */
  #judgeEnd(walk: InspectionWalk): void {
    const at = (lsn: number) => ({ file: walk.path, offset: walk.offset(lsn), lsn })
    const { wholeEndLsn, unfinished, syncedLsn } = this.#records
    if (wholeEndLsn < syncedLsn) {
      const reason = `the log ends here, but its batches say that it was synced up to LSN ${syncedLsn}`
      this.#report({ kind: 'synced-beyond-end', ...at(walk.position), endLsn: syncedLsn, reason })
    } else if (unfinished) {
      const place = wholeEndLsn >= walk.header.firstLsn ? at(wholeEndLsn) : at(walk.header.firstLsn)
      this.#report({ kind: 'torn-tail', ...place, endLsn: walk.position, reason: 'unfinished record' })
    }
  }

  /** Where the successor of the walked segment begins, if it has one by now: then it is sealed, and ends there. */
  #successorOf(walk: InspectionWalk): number | undefined {
    const { firstLsn } = walk.header
    return successorOf(this.#disk, this.#directory, firstLsn)?.header.firstLsn
  }

  /** Whether an opening has put another file in the place of the one that is walked. */
  #wasReplaced(walk: InspectionWalk): boolean {
    const now = this.#look({ path: walk.path, firstLsn: walk.header.firstLsn }).probe?.header
    return now !== undefined && now.epoch !== walk.header.epoch
  }

  #skip(fromLsn: number, toLsn: number, file: string): void {
    this.#records.interrupt()
    if (fromLsn < toLsn) this.#visitor.skipped?.(fromLsn, toLsn, file)
  }

  /** `found` is where it was found, if more of the log has been read since. */
  #report(damage: PlacedDamage, found?: { readonly wholeEndLsn: number; readonly records: number }): void {
    const { wholeEndLsn, records } = found ?? this.#records
    this.#damage.push({
      ...damage,
      severity: damage.kind === 'torn-tail' ? 'torn' : 'corrupt',
      wholeEndLsn: found ? wholeEndLsn : Math.min(damage.lsn, wholeEndLsn),
      recordsKept: records - this.#recordsBefore,
    })
  }

  #step(walk: InspectionWalk): InspectionStep {
    const bytesDone = this.#bytesDone + Math.max(0, walk.position - walk.header.firstLsn)
    return { bytesDone: Math.min(bytesDone, this.#bytesTotal), bytesTotal: this.#bytesTotal, waitMs: 0 }
  }

  #result(): LogInspection {
    const damage = this.#damage.toSorted((a, b) => a.lsn - b.lsn)
    const { batches, records, firstTimeUs, lastTimeUs, wholeEndLsn } = this.#records
    const lossy = damage.filter(losesBytes).map((lost) => lost.wholeEndLsn)
    return {
      directory: this.#directory,
      segments: this.#segments,
      firstLsn: this.#segments[0]?.firstLsn ?? 0,
      endLsn: Math.min(wholeEndLsn, ...lossy),
      lastWholeEndLsn: wholeEndLsn,
      batches,
      records,
      firstTimeUs,
      lastTimeUs,
      damage,
      verdict: verdictOf(damage),
    }
  }
}
