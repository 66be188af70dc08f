/**
 * Every file call of the log goes through this interface, so that tests can put a disk in its place which loses,
 * tears and fails as it is told. Calls are synchronous because the threads that make them have nothing else to do,
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
  close(file: number): void
  size(file: number): number
  /** Bytes that may still be written to the file system of a folder. */
  freeBytes(path: string): number
  /** Reads into `buffer` from `position`; returns the bytes read, 0 at the end of the file. */
  readSync(file: number, buffer: Uint8Array, position: number): number
  read(file: number, buffer: Uint8Array, position: number): Promise<number>
  /** Writes the pieces one behind the other from `position`; returns the bytes written. */
  write(file: number, pieces: Uint8Array[], position: number): number
  /** Makes the data of a file durable, and of its metadata what is needed to read it back. */
  syncData(file: number): void
  truncate(file: number, bytes: number): void
  rename(from: string, to: string): void
  remove(path: string): void
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): void
  /** Takes the lock file for this owner alone, or returns `undefined` when somebody else has it. The kernel frees it when the process ends. */
  lock(path: string): (() => void) | undefined
  /** Calls of the same names that do not block the thread. */
  readonly async: AsyncDisk
}

/** What an event loop asks of a disk: the calls of `Disk` as promises. */
export interface AsyncDisk {
  list(path: string): Promise<string[]>
  open(path: string, mode: 'read' | 'write'): Promise<number>
  create(path: string): Promise<number>
  close(file: number): Promise<void>
  size(file: number): Promise<number>
  write(file: number, pieces: Uint8Array[], position: number): Promise<number>
  syncData(file: number): Promise<void>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
}
