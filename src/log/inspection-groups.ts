import { type FrameView, frameFlag, maxApplicationType } from './frame.js'
import type { InspectionVisitor } from './inspection-faults.js'

/** Puts the frames of a log together to groups, over segments and gaps, and counts them. */
export class GroupAssembly {
  readonly #visitor: InspectionVisitor
  #pieces: Uint8Array[] = []
  #startLsn = 0
  #mayLackBeginning = false
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
    return this.#pieces.length > 0
  }

  /** What comes next does not follow what came before: an unfinished group is dropped. */
  interrupt(): void {
    this.#pieces = []
    this.#mayLackBeginning = true
  }

  add(view: FrameView, endLsn: number, payload: Uint8Array): void {
    const { type, flags, lsn, synced, timestampUs } = view
    this.frames++
    this.firstTimeUs ??= timestampUs
    this.lastTimeUs = timestampUs
    if (synced > this.syncedLsn) this.syncedLsn = synced
    if (type > maxApplicationType) {
      this.#pieces = []
      this.#mayLackBeginning = false
      this.groupEndLsn = endLsn
      this.#visitor.logFrame?.(type, endLsn, timestampUs)
      return
    }
    if (this.#pieces.length === 0) this.#startLsn = lsn
    if ((flags & frameFlag.continues) !== 0) {
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
}
