import { frameFlag } from '../format/frame.js'
import type { BatchWalk } from '../read/batch-walk.js'
import { RecordAssembler, type RecordVisitor } from '../read/record-assembler.js'
import type { InspectionVisitor } from './inspection-report.js'

/** Gives the records that an inspection comes by to its visitor, over segments and gaps, and counts them. */
export class InspectedRecords implements RecordVisitor {
  readonly #visitor: InspectionVisitor
  readonly #assembler = new RecordAssembler(this)
  /** Where the rest of a record began whose beginning was removed. */
  #rest = { fromLsn: 0, file: '' }
  /** LSN after the last whole group. */
  groupEndLsn: number
  /** The highest synced LSN that a valid frame carries. */
  syncedLsn = 0
  frames = 0
  groups = 0
  firstTimeUs: number | undefined
  lastTimeUs: number | undefined

  constructor(visitor: InspectionVisitor, firstLsn: number) {
    this.#visitor = visitor
    this.groupEndLsn = firstLsn
  }

  /** Whether the last frame says that its group goes on. */
  get unfinished(): boolean {
    return this.#assembler.unfinished
  }

  /** What comes next does not follow what came before: an unfinished group is dropped. */
  interrupt(): void {
    this.#assembler.interrupt()
  }

  /**
   * What comes next is the first segment that is there, and its header says whether it begins within a group. The rest of
   * such a group is no record: it is passed over.
   */
  begin(withinGroup: boolean, fromLsn: number, file: string): void {
    this.#rest = { fromLsn, file }
    if (withinGroup) this.#assembler.skipRest()
    else this.#assembler.begin()
  }

  /** Takes the batch that a walk has just passed. */
  add({ header, window, batchStart, batchEnd }: BatchWalk): void {
    this.frames++
    this.firstTimeUs ??= header.timestampUs
    this.lastTimeUs = header.timestampUs
    if (header.synced > this.syncedLsn) this.syncedLsn = header.synced
    this.#assembler.take(window.bytes, batchStart, batchEnd, header.lsn)
  }

  visit(
    _words: Int32Array,
    _from: number,
    _to: number,
    lsn: number,
    type: number,
    flags: number,
    producer: number,
  ): void {
    const { startLsn, timestampUs, payload, mayLackBeginning } = this.#assembler
    this.groups++
    this.groupEndLsn = lsn
    this.#visitor.group?.({
      startLsn,
      lsn,
      type,
      flags: flags & frameFlag.applicationMask,
      producer,
      timestampUs,
      payload,
      mayLackBeginning,
    })
  }

  logRecord(type: number, lsn: number): void {
    this.groupEndLsn = lsn
    this.#visitor.logFrame?.(type, lsn, this.#assembler.timestampUs)
  }

  rest(lsn: number): void {
    this.groupEndLsn = lsn
    this.#visitor.rest?.(this.#rest.fromLsn, lsn, this.#rest.file)
  }
}
