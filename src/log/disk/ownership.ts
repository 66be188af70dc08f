import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ioError, LogError } from '../errors.js'

import { attempt } from './attempt.js'
import type { Disk, FileIdentity } from './disk.js'

const lockName = 'LOCK'
/** An owner acknowledges nothing when it has not looked for so long whether the folder is still its own. */
const ownerCheckMs = 500
/**
 * How long an opening waits that finds a log and no lock file of an owner: who lost its lock file has looked by then, and
 * has stopped. What it acknowledged until then was on disk before the wait is over.
 */
const ownerGraceMs = 2 * ownerCheckMs

/** By what a log's folder and its lock file are distinguished from others of the same names. Can be sent to other threads. */
export interface FolderIdentity {
  readonly folder: FileIdentity
  readonly lock: FileIdentity
}

/** A folder that is locked for its owner alone. */
export interface TakenFolder {
  readonly identity: FolderIdentity
  release(): void
}

/**
 * Locks a log's folder; returns `undefined` when another owner has it.
 *
 * A kernel lock is held on a file, and a lock file that was removed or replaced keeps no other owner out. So a lock file says that
 * it has been an owner's, and an opening that finds a log and no such file waits until an owner that lost its file must
 * have noticed it.
 *
 * @param holdsLog Asked, under the lock, whether the folder was in use before.
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export async function takeFolder(
  disk: Disk,
  directory: string,
  holdsLog: () => boolean,
): Promise<TakenFolder | undefined> {
  const lockPath = path.join(directory, lockName)
  const lock = attempt('lock', lockPath, () => disk.lock(lockPath))
  if (!lock) return undefined
  try {
    if (!lock.known) {
      if (holdsLog()) await setTimeout(ownerGraceMs)
      attempt('write to', lockPath, () => lock.claim())
    }
    const folder = attempt('look at', directory, () => disk.identify(directory))
    const identity: FolderIdentity = { folder: folder ?? lock.identity, lock: lock.identity }
    new Ownership(disk, directory, identity).check()
    return { identity, release: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

/**
 * Puts an owner's lock file into a folder that no other process knows yet, so that its first opening need not wait.
 *
 * @throws LogError `TIDEMARK_LOG_IO`.
 */
export function claimFolder(disk: Disk, directory: string): void {
  const lockPath = path.join(directory, lockName)
  const lock = attempt('lock', lockPath, () => disk.lock(lockPath))
  try {
    attempt('write to', lockPath, () => lock?.claim())
  } finally {
    lock?.release()
  }
}

/**
 * Looks whether a folder is still its owner's: whether its name, that of its lock file and that of the active segment still
 * lead to the files that they led to. An owner that lost the folder must not acknowledge what the next one
 * does not find.
 */
export class Ownership {
  readonly #disk: Disk
  readonly #directory: string
  readonly #identity: FolderIdentity
  #segment: { readonly path: string; readonly identity: FileIdentity } | undefined
  #checkedMs = Number.NEGATIVE_INFINITY

  constructor(disk: Disk, directory: string, identity: FolderIdentity) {
    this.#disk = disk
    this.#directory = directory
    this.#identity = identity
  }

  /** From now on checks the active segment too; call when it has its name. @throws LogError `TIDEMARK_LOCK_LOST`, `TIDEMARK_LOG_IO`. */
  watch(segmentPath: string): void {
    const identity = this.#identify(segmentPath)
    if (!identity) throw this.#lost(`its segment ${path.basename(segmentPath)} was removed`)
    this.#segment = { path: segmentPath, identity }
  }

  /**
   * Like `check`, but looks at the files only about twice a second. Call it before each acknowledgement, and when idle.
   *
   * @throws as `check`.
   */
  confirm(): void {
    if (performance.now() - this.#checkedMs >= ownerCheckMs) this.check()
  }

  /** Milliseconds until `confirm` looks again. */
  get nextCheckMs(): number {
    return Math.max(1, this.#checkedMs + ownerCheckMs - performance.now())
  }

  /** @throws LogError `TIDEMARK_LOCK_LOST`; `TIDEMARK_LOG_IO` when it can't be known. */
  check(): void {
    // Taken before the look: what happens while it lasts is noticed by the next.
    const nowMs = performance.now()
    const lost = this.#findLoss()
    if (lost !== undefined) throw this.#lost(lost)
    this.#checkedMs = nowMs
  }

  /** Why something failed in the folder: because it is the owner's no more, or else `error` itself. */
  explain(error: unknown): unknown {
    if (error instanceof LogError && error.code === 'TIDEMARK_LOCK_LOST') return error
    try {
      const lost = this.#findLoss()
      return lost === undefined ? error : this.#lost(lost, error)
    } catch {
      return error
    }
  }

  /** What has happened to the folder, as a part of a sentence. */
  #findLoss(): string | undefined {
    const folder = this.#identify(this.#directory)
    if (!folder) return 'the folder was removed or renamed'
    if (!isSame(folder, this.#identity.folder)) return 'another folder was put in its place'
    const lock = this.#identify(path.join(this.#directory, lockName))
    if (!lock) return `its file ${lockName} was removed, so that others can open the log`
    if (!isSame(lock, this.#identity.lock)) {
      return `another file was put in the place of its ${lockName}, so that others can open the log`
    }
    if (!this.#segment) return undefined
    const name = path.basename(this.#segment.path)
    const segment = this.#identify(this.#segment.path)
    if (!segment) return `its segment ${name} was removed`
    return isSame(segment, this.#segment.identity) ? undefined : `its segment ${name} was replaced`
  }

  /** Tries twice: one failed call need not mean anything, and after two it can't be known whose the folder is. */
  #identify(file: string): FileIdentity | undefined {
    try {
      return this.#disk.identify(file)
    } catch {
      try {
        return this.#disk.identify(file)
      } catch (cause) {
        throw ioError('look at', file, cause)
      }
    }
  }

  #lost(what: string, cause?: unknown): LogError {
    return new LogError(
      'TIDEMARK_LOCK_LOST',
      `The log no longer owns ${this.#directory}: ${what}. Find out who did that before you open it again.`,
      { directory: this.#directory, reason: what },
      cause === undefined ? undefined : { cause },
    )
  }
}

function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return a.inode === b.inode && a.device === b.device
}
