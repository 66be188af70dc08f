import * as fs from 'node:fs'
import { ownPackage } from '../../base/own-files.js'
import { LogError } from '../errors.js'
import type { AsyncDisk, Disk, FileIdentity, FileLock } from './disk.js'

/** The disk of the machine, through node:fs. */
export class NodeDisk implements Disk {
  readonly async: AsyncDisk = asyncNodeDisk

  exists(path: string): boolean {
    return fs.existsSync(path)
  }

  makeDirectory(path: string): void {
    requireDirectorySync()
    // Never with mkdir's own `recursive`: in a folder that can't be written, /proc for one, that may not come back.
    fs.mkdirSync(path)
  }

  removeDirectory(path: string): void {
    fs.rmdirSync(path)
  }

  list(path: string): string[] {
    return fs.readdirSync(path)
  }

  open(path: string, mode: 'read' | 'write'): number {
    return fs.openSync(path, mode === 'read' ? 'r' : 'r+')
  }

  create(path: string): number {
    requireDirectorySync()
    return fs.openSync(path, 'w+', 0o644)
  }

  close(file: number): void {
    fs.closeSync(file)
  }

  size(file: number): number {
    return fs.fstatSync(file).size
  }

  freeBytes(path: string): number {
    const { bavail, bsize } = fs.statfsSync(path)
    return bavail * bsize
  }

  readSync(file: number, buffer: Uint8Array, position: number): number {
    return fs.readSync(file, buffer, 0, buffer.byteLength, position)
  }

  read(file: number, buffer: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(file, buffer, 0, buffer.byteLength, position, (error, bytesRead) => {
        if (error) reject(error)
        else resolve(bytesRead)
      })
    })
  }

  write(file: number, pieces: Uint8Array[], position: number): number {
    return pieces.length === 1
      ? fs.writeSync(file, pieces[0]!, 0, pieces[0]!.byteLength, position)
      : fs.writevSync(file, pieces, position)
  }

  syncData(file: number): void {
    fs.fdatasyncSync(file)
  }

  truncate(file: number, bytes: number): void {
    fs.ftruncateSync(file, bytes)
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to)
  }

  remove(path: string): void {
    fs.rmSync(path, { force: true })
  }

  syncDirectory(path: string): void {
    const directory = fs.openSync(path, 'r')
    try {
      fs.fsyncSync(directory)
    } finally {
      fs.closeSync(directory)
    }
  }

  identify(path: string): FileIdentity | undefined {
    const found = fs.statSync(path, { bigint: true, throwIfNoEntry: false })
    return found && { device: found.dev, inode: found.ino }
  }

  lock(path: string): FileLock | undefined {
    requireDirectorySync()
    for (let triesLeft = lockTries; triesLeft > 0; triesLeft--) {
      const file = fs.openSync(path, 'a+', 0o644)
      let lock: FileLock | undefined
      try {
        if (!native().tryLock(file)) return undefined
        const { dev: device, ino: inode } = fs.fstatSync(file, { bigint: true })
        const named = this.identify(path)
        // Another file may have got the name between the opening and the locking: then that one is to be locked.
        if (named?.inode === inode && named.device === device) lock = new NodeLock(file, { device, inode })
      } finally {
        if (!lock) fs.closeSync(file)
      }
      if (lock) return lock
    }
    throw new Error('the file is replaced all the time')
  }

  isLocked(path: string): boolean {
    let file: number
    try {
      file = fs.openSync(path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
    try {
      // A shared lock needs no right to write, and two who ask at the same time don't take each other for an owner.
      return !native().tryLock(file, { shared: true })
    } finally {
      // This frees the lock too.
      fs.closeSync(file)
    }
  }
}

const lockTries = 10

/**
 * Refuses to begin a write where a folder can't be synced: a file that was created or renamed may then be gone after a
 * power cut, with everything acknowledged in it. Logs can be read there.
 *
 * @throws LogError `TIDEMARK_PLATFORM_UNSUPPORTED`.
 */
function requireDirectorySync(): void {
  if (process.platform !== 'win32') return
  throw new LogError(
    'TIDEMARK_PLATFORM_UNSUPPORTED',
    'Windows has no call that puts the names of a folder on disk, so tidemark writes no log there. Run it in WSL 2 or in a container, with the log on a file system of Linux.',
    { platform: process.platform },
  )
}

const native = ownPackage<typeof import('fs-native-extensions')>('fs-native-extensions')

/** A lock file that names its own inode: a copy of it, or a new one, was never an owner's. */
class NodeLock implements FileLock {
  readonly #file: number
  #released = false
  readonly identity: FileIdentity
  readonly known: boolean

  constructor(file: number, identity: FileIdentity) {
    this.#file = file
    this.identity = identity
    const text = Buffer.alloc(32)
    const bytes = fs.readSync(file, text, 0, text.byteLength, 0)
    this.known = text.toString('latin1', 0, bytes) === this.#ownText
  }

  get #ownText(): string {
    return `${this.identity.inode}\n`
  }

  claim(): void {
    fs.ftruncateSync(this.#file, 0)
    fs.writeSync(this.#file, this.#ownText)
  }

  release(): void {
    // A second call would close whatever has the descriptor by now.
    if (this.#released) return
    this.#released = true
    try {
      native().unlock(this.#file)
    } catch {
      // Closing the file frees it too.
    }
    fs.closeSync(this.#file)
  }
}

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void

function promised<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value as T)))
  })
}

const asyncNodeDisk: AsyncDisk = {
  list: (path) => promised((done) => fs.readdir(path, done)),
  open: (path, mode) => promised((done) => fs.open(path, mode === 'read' ? 'r' : 'r+', done)),
  create: (path) => promised((done) => fs.open(path, 'w+', 0o644, done)),
  close: (file) => promised<void>((done) => fs.close(file, done)),
  size: async (file) => (await promised<fs.Stats>((done) => fs.fstat(file, done))).size,
  write: (file, pieces, position) =>
    promised((done) =>
      pieces.length === 1
        ? fs.write(file, pieces[0]!, 0, pieces[0]!.byteLength, position, done)
        : fs.writev(file, pieces, position, done),
    ),
  syncData: (file) => promised<void>((done) => fs.fdatasync(file, done)),
  rename: (from, to) => promised<void>((done) => fs.rename(from, to, done)),
  remove: (path) => promised<void>((done) => fs.rm(path, { force: true }, done)),
  async syncDirectory(path) {
    const directory = await this.open(path, 'read')
    try {
      await promised<void>((done) => fs.fsync(directory, done))
    } finally {
      await this.close(directory)
    }
  },
}
