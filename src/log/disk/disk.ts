/**
 * Every file call of the log goes through this interface, so that tests can put a disk in its place which loses,
 * tears and fails when the test says so. Calls are synchronous because the threads that make them have nothing else to do,
 * except `read` and the calls of `async`, which serve event loops.
 *
 * A call that fails throws what the system said (`code` is the errno name). A write may be short: the caller treats
 * that as a failure.
 */
export interface Disk {
  /** Whether a file or folder has this name. */
  exists(path: string): boolean
  /** Creates a folder in one that exists. Its name is not on disk yet: see `makeFolder`. */
  makeDirectory(path: string): void
  /** Removes a folder that is empty. */
  removeDirectory(path: string): void
  /** The names in a folder. */
  list(path: string): string[]
  /** Opens a file that exists. */
  open(path: string, mode: 'read' | 'write'): number
  /** Creates an empty file, or empties the one that is there, and opens it for writing. */
  create(path: string): number
  /** Closes a file. */
  close(file: number): void
  /** The size of an open file, in bytes. */
  size(file: number): number
  /** Bytes that may still be written to the file system of a folder. */
  freeBytes(path: string): number
  /** Reads into `buffer` from `position`; returns the bytes read, 0 at the end of the file. */
  readSync(file: number, buffer: Uint8Array, position: number): number
  /** Reads into a buffer from a position on; resolves with the bytes that were read, fewer at the end of the file. */
  read(file: number, buffer: Uint8Array, position: number): Promise<number>
  /** Writes the pieces one after the other from `position`; returns the bytes written. */
  write(file: number, pieces: Uint8Array[], position: number): number
  /** Makes the data of a file durable, and of its metadata what is needed to read it back. */
  syncData(file: number): void
  /** Cuts an open file to a size. */
  truncate(file: number, bytes: number): void
  /** Gives a file another name, in place of what had that name. */
  rename(from: string, to: string): void
  /** Removes a file. */
  remove(path: string): void
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): void
  /** The identity of the file or folder that has this name now, or `undefined` when nothing has it. */
  identify(path: string): FileIdentity | undefined
  /**
   * Takes the lock file for this owner alone, or returns `undefined` when another owner has it. The kernel frees it when the
   * process ends. When this returns, the name leads to the file that is locked.
   */
  lock(path: string): FileLock | undefined
  /** Whether an owner has the lock of a file, in this process or another; false when the file is not there. */
  isLocked(path: string): boolean
  /** Calls of the same names that do not block the thread. */
  readonly async: AsyncDisk
}

/** A file or folder, whatever its name is by now. */
export interface FileIdentity {
  readonly device: bigint
  readonly inode: bigint
}

/** A lock file that is locked. */
export interface FileLock {
  readonly identity: FileIdentity
  /** Whether this very file was claimed before: then its lock was free because that owner has ended. */
  readonly known: boolean
  /** Notes in the file that it is an owner's. */
  claim(): void
  release(): void
}

/** What an event loop asks of a disk: the calls of `Disk` as promises. */
export interface AsyncDisk {
  /** The names in a folder. */
  list(path: string): Promise<string[]>
  /** Opens a file that exists. */
  open(path: string, mode: 'read' | 'write'): Promise<number>
  /** Creates a file that does not exist, for writing. */
  create(path: string): Promise<number>
  /** Closes a file. */
  close(file: number): Promise<void>
  /** The size of an open file, in bytes. */
  size(file: number): Promise<number>
  /** Writes pieces one after the other from a position on; resolves with the bytes that were written. */
  write(file: number, pieces: Uint8Array[], position: number): Promise<number>
  /** Returns when what was written to the file is on disk. */
  syncData(file: number): Promise<void>
  /** Gives a file another name, in place of what had that name. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file. */
  remove(path: string): Promise<void>
  /** Returns when the names in a folder are on disk. */
  syncDirectory(path: string): Promise<void>
}
