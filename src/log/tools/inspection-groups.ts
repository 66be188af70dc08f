import { type FrameView, frameFlag, maxApplicationType } from '../format/frame.js'
import type { InspectionVisitor } from './inspection-report.js'

/** Puts the frames of a log together to groups, over segments and gaps, and counts them. */
export class GroupAssembly {
  readonly #visitor: InspectionVisitor
  #pieces: Uint8Array[] = []
  #startLsn = 0
  #mayLackBeginning = false
  /** Where the rest of a group began that is passed over, because its beginning was removed. */
  #rest: { readonly fromLsn: number; readonly file: string } | undefined
  #unfinished = false
  /** LSN behind the last whole group. */
  groupEndLsn: number
  /** The highest synced LSN that a sound frame carries. */
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
    return this.#unfinished
  }

  /** What comes next does not follow what came before: an unfinished group is dropped. */
  interrupt(): void {
    this.#pieces = []
    this.#rest = undefined
    this.#unfinished = false
    this.#mayLackBeginning = true
  }

  /**
   * What comes next is the first segment that is there, and its header says whether it begins within a group. The rest of
   * such a group is no record: it is passed over.
   */
  begin(withinGroup: boolean, fromLsn: number, file: string): void {
    this.interrupt()
    this.#mayLackBeginning = false
    if (withinGroup) this.#rest = { fromLsn, file }
  }

  add(view: FrameView, endLsn: number, payload: Uint8Array): void {
    const { type, flags, lsn, synced, timestampUs } = view
    this.frames++
    this.firstTimeUs ??= timestampUs
    this.lastTimeUs = timestampUs
    if (synced > this.syncedLsn) this.syncedLsn = synced
    if (type > maxApplicationType) {
      this.#pieces = []
      this.#rest = undefined
      this.#unfinished = false
      this.#mayLackBeginning = false
      this.groupEndLsn = endLsn
      this.#visitor.logFrame?.(type, endLsn, timestampUs)
      return
    }
    this.#unfinished = (flags & frameFlag.continues) !== 0
    if (this.#rest) {
      if (!this.#unfinished) this.#endRest(this.#rest, endLsn)
      return
    }
    if (this.#pieces.length === 0) this.#startLsn = lsn
    if (this.#unfinished) {
      this.#pieces.push(Uint8Array.from(payload))
      return
    }
    const whole = this.#pieces.length === 0 ? payload : Buffer.concat([...this.#pieces, payload])
    this.groups++
    this.groupEndLsn = endLsn
    this.#pieces = []
    this.#visitor.group?.({
      startLsn: this.#startLsn,
      lsn: endLsn,
      type,
      flags: flags & frameFlag.applicationMask,
      producer: view.producer,
      timestampUs,
      payload: whole,
      mayLackBeginning: this.#mayLackBeginning,
    })
    this.#mayLackBeginning = false
  }

  #endRest({ fromLsn, file }: { fromLsn: number; file: string }, endLsn: number): void {
    this.#rest = undefined
    this.groupEndLsn = endLsn
    this.#visitor.rest?.(fromLsn, endLsn, file)
  }
}
