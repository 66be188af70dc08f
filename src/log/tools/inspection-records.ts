import { recordFlag } from '../format/batch.js'
import type { BatchWalk } from '../read/batch-walk.js'
import { RecordAssembler, type RecordVisitor } from '../read/record-assembler.js'
import type { InspectionVisitor } from './inspection-report.js'

/** Gives the records that an inspection comes by to its visitor, over segments and gaps, and counts them. */
export class InspectedRecords implements RecordVisitor {
  readonly #visitor: InspectionVisitor
  readonly #assembler = new RecordAssembler(this)
  /** Where the rest of a record began whose beginning was removed. */
  #rest = { fromLsn: 0, file: '' }
  /** LSN after the last whole record or sync marker. */
  wholeEndLsn: number
  /** The highest synced LSN that a valid batch carries. */
  syncedLsn = 0
  batches = 0
  records = 0
  firstTimeUs: number | undefined
  lastTimeUs: number | undefined

  constructor(visitor: InspectionVisitor, firstLsn: number) {
    this.#visitor = visitor
    this.wholeEndLsn = firstLsn
  }

  /** Whether the last batch holds a piece of a record that continues. */
  unfinished = false

  /** What comes next does not follow what came before: an unfinished record is dropped. */
  interrupt(): void {
    this.unfinished = false
    this.#assembler.interrupt()
  }

  /**
   * What comes next is the first segment that is there, with a valid header. The rest of a record that it begins within is no
   * record: it is passed over.
   */
  begin(fromLsn: number, file: string): void {
    this.unfinished = false
    this.#rest = { fromLsn, file }
    this.#assembler.begin()
  }

  /** Takes the batch that a walk has just passed. */
  add({ header, window, batchStart, batchEnd }: BatchWalk): void {
    this.batches++
    this.unfinished = header.continues
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
    const { startLsn, timestampUs, payload, lacksBeginning } = this.#assembler
    this.records++
    this.wholeEndLsn = lsn
    this.#visitor.record?.({
      startLsn,
      lsn,
      type,
      flags: flags & recordFlag.applicationMask,
      producer,
      timestampUs,
      payload,
      lacksBeginning,
    })
  }

  syncMarker(lsn: number): void {
    this.wholeEndLsn = lsn
    this.#visitor.syncMarker?.(lsn, this.#assembler.timestampUs)
  }

  rest(lsn: number): void {
    this.wholeEndLsn = lsn
    this.#visitor.rest?.(this.#rest.fromLsn, lsn, this.#rest.file)
  }
}
