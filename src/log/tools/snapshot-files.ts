import * as path from 'node:path'

/** A file with an application's state as of an LSN, and the LSN that its name says. */
export interface SnapshotFile {
  readonly path: string
  readonly lsn: number
}

const lsnDigits = 20

/** How an application names its snapshot files: a prefix, the LSN in 20 digits, a suffix. Nothing is known of what is in them. */
export class SnapshotNames {
  readonly #prefix: string
  readonly #suffix: string

  constructor(prefix: string, suffix: string) {
    this.#prefix = prefix
    this.#suffix = suffix
  }

  nameOf(lsn: number): string {
    return `${this.#prefix}${String(lsn).padStart(lsnDigits, '0')}${this.#suffix}`
  }

  /** The LSN that a file name says; `undefined` when it is not a snapshot's. */
  lsnOf(name: string): number | undefined {
    if (!name.startsWith(this.#prefix) || !name.endsWith(this.#suffix)) return undefined
    const digits = name.slice(this.#prefix.length, name.length - this.#suffix.length)
    return /^\d{20}$/.test(digits) ? Number(digits) : undefined
  }

  /** The snapshot files among the names in a folder, newest first. */
  among(directory: string, names: readonly string[]): SnapshotFile[] {
    return names
      .flatMap((name) => {
        const lsn = this.lsnOf(name)
        return lsn === undefined ? [] : [{ path: path.join(directory, name), lsn }]
      })
      .sort((a, b) => b.lsn - a.lsn)
  }
}

/**
 * The newest valid snapshot among files that come newest first. `read` resolves with what it makes of a file, or with
 * `undefined` when the file is not valid: then the next older one is read.
 */
export async function newestSnapshot<S>(
  files: readonly SnapshotFile[],
  read: (file: SnapshotFile) => Promise<S | undefined>,
): Promise<S | undefined> {
  for (const file of files) {
    const snapshot = await read(file)
    if (snapshot !== undefined) return snapshot
  }
  return undefined
}

/** As `newestSnapshot`, for threads that may be blocked. */
export function newestSnapshotSync<S>(
  files: readonly SnapshotFile[],
  read: (file: SnapshotFile) => S | undefined,
): S | undefined {
  for (const file of files) {
    const snapshot = read(file)
    if (snapshot !== undefined) return snapshot
  }
  return undefined
}
