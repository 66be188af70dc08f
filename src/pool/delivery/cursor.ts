import type { Clock } from '../../base/clock.js'
import {
  type CursorRecord,
  createCursorFile,
  type StoredCursorState,
  writeCursorFile,
} from '../../log/index.js'
import type { CursorState } from '../types.js'

/** Acknowledgements are stored together, this long after the first of them, or at once when that is asked for. */
export const cursorStoreDelayMs = 100

/** What a cursor asks of the log that it is in. */
export interface CursorLog {
  readonly dir: string
  waitSynced(lsn: number): Promise<void>
}

/** A subscription that holds a cursor. */
export interface CursorHolder {
  /** Its iteration ends, or meets what became of the cursor. */
  end(): void
}

/** One cursor: what is acknowledged, and what of it is on disk. The disk never leads. */
export class Cursor {
  readonly name: string
  /** The subscription that may acknowledge; it stays when it is closed until another one takes the cursor. */
  holder: CursorHolder | undefined
  /** Whether the holder is open. */
  live = false
  /** Whether it is being dropped: nothing of it is written any more. */
  dropping = false
  readonly #log: CursorLog
  readonly #clock: Clock
  #state: CursorState = 'valid'
  #lsn: number
  #stored: CursorRecord | undefined
  #sequence = 0
  /** Why its file can't be used. */
  #reason: string | undefined
  #writing: Promise<void> | undefined
  #callOff: (() => void) | undefined

  constructor(log: CursorLog, clock: Clock, name: string, lsn: number) {
    this.#log = log
    this.#clock = clock
    this.name = name
    this.#lsn = lsn
  }

  /** A cursor as its file says. */
  static stored(log: CursorLog, clock: Clock, record: CursorRecord): Cursor {
    const cursor = new Cursor(log, clock, record.name, record.lsn)
    cursor.#state = record.state
    cursor.#stored = record
    cursor.#sequence = record.sequence
    return cursor
  }

  /** A cursor whose file can't be used. */
  static damaged(log: CursorLog, clock: Clock, name: string, reason: string): Cursor {
    const cursor = new Cursor(log, clock, name, 0)
    cursor.#state = 'damaged'
    cursor.#reason = reason
    return cursor
  }

  get state(): CursorState {
    return this.#state
  }

  get reason(): string | undefined {
    return this.#reason
  }

  /** LSN of the last acknowledged record. */
  get lsn(): number {
    return this.#lsn
  }

  /** What of it is on disk; `undefined` until the file is made. */
  get storedLsn(): number | undefined {
    return this.#stored?.lsn
  }

  /** The lowest LSN from which it may have to resume: what is on disk, should the process die now. */
  get neededLsn(): number {
    return this.#stored?.lsn ?? this.#lsn
  }

  /** Takes a record as acknowledged; it gets to disk a little later, with others. */
  acknowledge(lsn: number): void {
    this.#lsn = lsn
    this.#callOff ??= this.#clock.after(cursorStoreDelayMs, () => {
      this.#callOff = undefined
      // `flush` reports a failure to its caller; here the next acknowledgement writes again.
      this.flush().catch(() => {})
    })
  }

  invalidate(state: Exclude<StoredCursorState, 'valid'>): void {
    this.#state = state
    this.holder?.end()
  }

  /** Resolves when what is acknowledged now, and the state, is on disk. @throws LogError `TIDEMARK_LOG_IO`. */
  async flush(): Promise<void> {
    this.#callOff?.()
    this.#callOff = undefined
    const lsn = this.#lsn
    while (!this.#isStored(lsn)) {
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined
      })
      await this.#writing
    }
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    this.#callOff?.()
    this.#callOff = undefined
    await this.#writing?.catch(() => {})
  }

  #isStored(lsn: number): boolean {
    if (this.#state === 'damaged' || this.dropping) return true
    return this.#stored !== undefined && this.#stored.lsn >= lsn && this.#stored.state === this.#state
  }

  async #write(): Promise<void> {
    const record: CursorRecord = {
      name: this.name,
      state: this.#state as StoredCursorState,
      lsn: this.#lsn,
      // After a failure the same slot is written again: the other one is valid.
      sequence: this.#sequence + 1,
      writtenUs: Math.round(this.#clock.wallMs() * 1000),
    }
    // A power cut must not leave a cursor beyond the log's end. One that is not valid moves nowhere any more.
    if (record.state === 'valid') await this.#log.waitSynced(record.lsn)
    if (this.#stored) await writeCursorFile(this.#log.dir, record)
    else await createCursorFile(this.#log.dir, record)
    this.#sequence = record.sequence
    this.#stored = record
  }
}
