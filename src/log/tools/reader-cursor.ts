import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { attempt, attemptAsync } from '../disk/attempt.js'
import type { Disk, FileLock } from '../disk/disk.js'
import { badSetting, LogError } from '../errors.js'
import {
  cursorNameRule,
  cursorPath,
  isCursorName,
  readCursorFile,
  type StoredReaderState,
  writeSlot,
} from './cursor-file.js'

/** How often a reader's cursor follows the reader. Until then it holds a little more of the log than it must. */
const readerCursorDelayMs = 1000
/** Who looks whether a reader is alive has its lock for a moment: it is asked for again this often, and this much later. */
const lockTries = 20
const lockRetryMs = 10

/**
 * The named cursor of a reader that is no part of the log's owner: it says in the log's folder how far the reader has come, so
 * that the owner keeps what comes after. It is the one file that such a reader writes there.
 *
 * The reader holds a lock of the kernel on the file for as long as it has the cursor: the owner knows by it that the reader is
 * alive. What is written is synced when the cursor is made and when it is closed only, so that the log's disk is not asked to
 * sync for a reader: after a power cut a cursor may be further back than its reader, never ahead.
 */
export class ReaderCursor {
  readonly name: string
  readonly #disk: Disk
  readonly #path: string
  readonly #lock: FileLock
  #sequence: number
  #lsn: number
  #writtenLsn = -1
  #writtenMs = Number.NEGATIVE_INFINITY
  #closed = false

  /**
   * Takes the cursor of a name in a log's folder, and makes it if it is not there. From now on the owner keeps the log after
   * `lsn`, as far as its settings allow.
   *
   * @throws LogError `TIDEMARK_CURSOR_IN_USE` when another reader has it, `TIDEMARK_BAD_SETTING` for a bad name,
   *   `TIDEMARK_LOG_IO`.
   */
  static async open(disk: Disk, directory: string, name: string, lsn: number): Promise<ReaderCursor> {
    checkReaderName(name)
    const lock = await lockReader(disk, directory, name)
    try {
      const found = await readCursorFile(disk, directory, name, 'reader')
      const cursor = new ReaderCursor(disk, directory, name, lock, found?.record?.sequence ?? 0)
      await cursor.#write('held', lsn, true)
      await attemptAsync('sync', directory, () => disk.async.syncDirectory(directory))
      return cursor
    } catch (error) {
      lock.release()
      throw error
    }
  }

  private constructor(disk: Disk, directory: string, name: string, lock: FileLock, sequence: number) {
    this.#disk = disk
    this.#path = cursorPath(directory, name, 'reader')
    this.name = name
    this.#lock = lock
    this.#sequence = sequence
    this.#lsn = 0
  }

  /** What the owner may delete up to, as far as this reader is concerned. */
  get lsn(): number {
    return this.#lsn
  }

  /** Says that the reader has everything up to an LSN. It is written now and then. @throws LogError `TIDEMARK_LOG_IO`. */
  async advance(lsn: number): Promise<void> {
    if (lsn === this.#writtenLsn || performance.now() - this.#writtenMs < readerCursorDelayMs) return
    await this.#write('held', lsn, false)
  }

  /** Says how far the reader has come, and that it ends: its log is kept for when it comes again. @throws LogError `TIDEMARK_LOG_IO`. */
  async close(lsn: number): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#write('valid', lsn, true)
    } finally {
      this.#lock.release()
    }
  }

  async #write(state: StoredReaderState, lsn: number, synced: boolean): Promise<void> {
    const writtenUs = Math.round(Date.now() * 1000)
    const record = { name: this.name, state, lsn, sequence: this.#sequence + 1, writtenUs }
    await writeSlot(this.#path, record, synced, this.#disk)
    this.#sequence++
    this.#lsn = lsn
    this.#writtenLsn = lsn
    this.#writtenMs = performance.now()
  }
}

/**
 * Removes the cursor of a reader that does not have it open; what it held may go with the next checkpoint.
 *
 * @returns whether there was one.
 * @throws LogError `TIDEMARK_CURSOR_IN_USE`, `TIDEMARK_BAD_SETTING` for a bad name, `TIDEMARK_LOG_IO`.
 */
export async function dropReaderCursor(disk: Disk, directory: string, name: string): Promise<boolean> {
  checkReaderName(name)
  const file = cursorPath(directory, name, 'reader')
  if (!attempt('look at', file, () => disk.exists(file))) return false
  const lock = await lockReader(disk, directory, name)
  try {
    await attemptAsync('remove', file, () => disk.async.remove(file))
    await attemptAsync('sync', directory, () => disk.async.syncDirectory(directory))
    return true
  } finally {
    lock.release()
  }
}

function checkReaderName(name: string): void {
  if (!isCursorName(name)) throw badSetting('cursor', name, cursorNameRule)
}

async function lockReader(disk: Disk, directory: string, name: string): Promise<FileLock> {
  const file = cursorPath(directory, name, 'reader')
  for (let triesLeft = lockTries; triesLeft > 0; triesLeft--) {
    const lock = attempt('lock', file, () => disk.lock(file))
    if (lock) return lock
    await setTimeout(lockRetryMs)
  }
  throw new LogError(
    'TIDEMARK_CURSOR_IN_USE',
    `The cursor ${name} in ${directory} is held by another reader, which may be in another process. End that one, or give this one a cursor of another name.`,
    { name, directory, file: path.basename(file) },
  )
}
