import { dirname } from 'node:path'
import type { AsyncDisk, Disk, FileIdentity, FileLock } from '#tidemark/log/disk/disk.js'

/** Decides for one piece of unsynced data, or one unsynced directory change, whether a power cut leaves it. */
export type Survives = () => boolean

type Change = { kind: 'write'; position: number; bytes: Uint8Array } | { kind: 'truncate'; bytes: number }

let inodes = 0n

class MemoryFile {
  readonly inode = ++inodes
  /** Whether it is a lock file that an owner had. */
  claimed = false
  readonly pending: Change[] = []
  #bytes: Buffer
  size: number

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = Buffer.from(content)
    this.size = content.byteLength
    this.durable = Buffer.from(content)
  }

  durable: Buffer

  get content(): Buffer {
    return this.#bytes.subarray(0, this.size)
  }

  apply(change: Change): void {
    if (change.kind === 'truncate') {
      this.#reserve(change.bytes)
      if (change.bytes < this.size) this.#bytes.fill(0, change.bytes, this.size)
      this.size = change.bytes
      return
    }
    const end = change.position + change.bytes.byteLength
    this.#reserve(end)
    this.#bytes.set(change.bytes, change.position)
    this.size = Math.max(this.size, end)
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.byteLength) return
    const grown = Buffer.alloc(Math.max(bytes, this.#bytes.byteLength * 2))
    this.#bytes.copy(grown, 0, 0, this.size)
    this.#bytes = grown
  }
}

type DirectoryChange =
  | { kind: 'link'; path: string; file: MemoryFile }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'unlink'; path: string }

/**
 * A disk in memory that keeps apart what was written and what was synced, as a page cache and a drive do.
 * `powerCut` gives the disk that a machine would find after the power failed: what was synced, and of the rest
 * whatever chance left. For tests, of the log and of programs built on it.
 */
export class MemoryDisk implements Disk {
  /** Called before each call takes effect; a fault is injected by throwing from it. */
  beforeCall: (call: keyof Disk, path: string) => void = () => {}
  /** Bytes that a `write` is allowed to take, to make it short. */
  writeLimit: (bytes: number) => number = (bytes) => bytes
  /** Bytes that all files together may take; a write takes what is left, and then fails with ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY
  readonly calls: string[] = []
  readonly sectorBytes: number
  /** Each call takes effect when it is made; its promise resolves in a later microtask. */
  readonly async: AsyncDisk = {
    list: async (path) => this.list(path),
    open: async (path, mode) => this.open(path, mode),
    create: async (path) => this.create(path),
    close: async (file) => this.close(file),
    size: async (file) => this.size(file),
    write: async (file, pieces, position) => this.write(file, pieces, position),
    syncData: async (file) => this.syncData(file),
    rename: async (from, to) => this.rename(from, to),
    remove: async (path) => this.remove(path),
    syncDirectory: async (path) => this.syncDirectory(path),
  }

  #names = new Map<string, MemoryFile>()
  #durableNames = new Map<string, MemoryFile>()
  #directoryChanges: DirectoryChange[] = []
  readonly #open = new Map<number, { file: MemoryFile; path: string }>()
  readonly #locks = new Set<MemoryFile>()
  /** Folders that `makeDirectory` made. */
  readonly #folders = new Set<string>()
  #nextFile = 3

  constructor(options: { sectorBytes?: number } = {}) {
    this.sectorBytes = options.sectorBytes ?? 512
  }

  exists(path: string): boolean {
    this.#note('exists', path)
    if (path === '/' || this.#names.has(path)) return true
    // The folders above a file that a test put there are taken for granted.
    return [...this.#names.keys()].some((name) => name.startsWith(`${path}/`))
  }

  makeDirectory(path: string): void {
    this.#note('makeDirectory', path)
    if (this.exists(path)) throw errno('EEXIST', `mkdir ${path}`)
    if (!this.exists(dirname(path))) throw errno('ENOENT', `mkdir ${path}`)
    this.#folders.add(path)
    this.#changeDirectory({ kind: 'link', path, file: new MemoryFile() })
  }

  removeDirectory(path: string): void {
    this.#note('removeDirectory', path)
    if (this.list(path).length > 0) throw errno('ENOTEMPTY', `rmdir ${path}`)
    this.#changeDirectory({ kind: 'unlink', path })
  }

  list(path: string): string[] {
    this.#note('list', path)
    const prefix = path === '/' ? path : `${path}/`
    return [...this.#names.keys()]
      .filter((name) => name.startsWith(prefix) && !name.includes('/', prefix.length))
      .map((name) => name.slice(prefix.length))
  }

  open(path: string, _mode: 'read' | 'write'): number {
    this.#note('open', path)
    const file = this.#names.get(path)
    if (!file) throw errno('ENOENT', `open ${path}`)
    return this.#handle(file, path)
  }

  create(path: string): number {
    this.#note('create', path)
    const existing = this.#names.get(path)
    if (existing) {
      this.#change(existing, { kind: 'truncate', bytes: 0 })
      return this.#handle(existing, path)
    }
    const file = new MemoryFile()
    this.#changeDirectory({ kind: 'link', path, file })
    return this.#handle(file, path)
  }

  close(file: number): void {
    this.#note('close', this.#at(file).path)
    this.#open.delete(file)
  }

  size(file: number): number {
    return this.#at(file).file.size
  }

  freeBytes(path: string): number {
    this.#note('freeBytes', path)
    return Math.max(0, this.capacityBytes - this.#usedBytes())
  }

  readSync(file: number, buffer: Uint8Array, position: number): number {
    const { file: memory, path } = this.#at(file)
    this.#note('readSync', path)
    const bytes = Math.max(0, Math.min(buffer.byteLength, memory.size - position))
    buffer.set(memory.content.subarray(position, position + bytes))
    return bytes
  }

  async read(file: number, buffer: Uint8Array, position: number): Promise<number> {
    return this.readSync(file, buffer, position)
  }

  write(file: number, pieces: Uint8Array[], position: number): number {
    const { file: memory, path } = this.#at(file)
    this.#note('write', path)
    const all = Buffer.concat(pieces)
    let taken = this.writeLimit(all.byteLength)
    if (this.capacityBytes < Number.POSITIVE_INFINITY) {
      const room = Math.max(0, memory.size - position + this.capacityBytes - this.#usedBytes())
      if (room === 0 && taken > 0) throw errno('ENOSPC', `write ${path}`)
      taken = Math.min(taken, room)
    }
    this.#change(memory, { kind: 'write', position, bytes: all.subarray(0, taken) })
    return taken
  }

  syncData(file: number): void {
    const { file: memory, path } = this.#at(file)
    this.#note('syncData', path)
    memory.durable = Buffer.from(memory.content)
    memory.pending.length = 0
  }

  truncate(file: number, bytes: number): void {
    const { file: memory, path } = this.#at(file)
    this.#note('truncate', path)
    this.#change(memory, { kind: 'truncate', bytes })
  }

  rename(from: string, to: string): void {
    this.#note('rename', from)
    if (!this.#names.has(from)) throw errno('ENOENT', `rename ${from}`)
    this.#changeDirectory({ kind: 'rename', from, to })
  }

  remove(path: string): void {
    this.#note('remove', path)
    if (this.#names.has(path)) this.#changeDirectory({ kind: 'unlink', path })
  }

  syncDirectory(path: string): void {
    this.#note('syncDirectory', path)
    const others: DirectoryChange[] = []
    for (const change of this.#directoryChanges) {
      if (folderOf(change) === path) applyToDirectory(this.#durableNames, change)
      else others.push(change)
    }
    this.#directoryChanges = others
  }

  identify(path: string): FileIdentity | undefined {
    this.#note('identify', path)
    const file = this.#names.get(path)
    if (file) return { device: 1n, inode: file.inode }
    return this.exists(path) ? { device: 1n, inode: 0n } : undefined
  }

  lock(path: string): FileLock | undefined {
    this.#note('lock', path)
    if (!this.#names.has(path)) this.#changeDirectory({ kind: 'link', path, file: new MemoryFile() })
    const file = this.#names.get(path)!
    if (this.#locks.has(file)) return undefined
    this.#locks.add(file)
    return {
      identity: { device: 1n, inode: file.inode },
      known: file.claimed,
      claim: () => {
        file.claimed = true
      },
      release: () => this.#locks.delete(file),
    }
  }

  isLocked(path: string): boolean {
    this.#note('isLocked', path)
    const file = this.#names.get(path)
    return file !== undefined && this.#locks.has(file)
  }

  /**
   * The disk after a power cut now. Each sector of unsynced data survives as `survives` says; unsynced directory
   * changes survive up to the first that does not, in order, as a journalling file system keeps them. What is in a folder
   * goes with the folder.
   */
  powerCut(survives: Survives = () => false): MemoryDisk {
    const after = new MemoryDisk({ sectorBytes: this.sectorBytes })
    const names = new Map(this.#durableNames)
    for (const change of this.#directoryChanges) {
      if (!survives()) break
      applyToDirectory(names, change)
    }
    const images = new Map<MemoryFile, MemoryFile>()
    for (const [path, file] of names) {
      if (this.#isOrphan(path, names)) continue
      if (this.#folders.has(path)) after.#folders.add(path)
      const image = images.get(file) ?? surviving(file, this.sectorBytes, survives)
      images.set(file, image)
      after.#names.set(path, image)
      after.#durableNames.set(path, image)
    }
    return after
  }

  /** A copy of a file as programs see it, or `undefined`. */
  contentOf(path: string): Buffer | undefined {
    const file = this.#names.get(path)
    return file && Buffer.from(file.content)
  }

  /** Replaces a file's content, on the drive too: for putting damage there. */
  replace(path: string, content: Uint8Array): void {
    const file = new MemoryFile(content)
    this.#names.set(path, file)
    this.#durableNames.set(path, file)
  }

  /** An independent copy of what is durable and what programs see, nothing pending. */
  clone(): MemoryDisk {
    const copy = new MemoryDisk({ sectorBytes: this.sectorBytes })
    for (const [path, file] of this.#names) copy.replace(path, file.content)
    for (const folder of this.#folders) copy.#folders.add(folder)
    return copy
  }

  /** Whether a folder above a path was made here and is not among `names`. */
  #isOrphan(path: string, names: ReadonlyMap<string, MemoryFile>): boolean {
    for (let above = dirname(path); above !== '/'; above = dirname(above)) {
      if (this.#folders.has(above) && !names.has(above)) return true
    }
    return false
  }

  #usedBytes(): number {
    return [...new Set(this.#names.values())].reduce((sum, { size }) => sum + size, 0)
  }

  #note(call: keyof Disk, path: string): void {
    this.beforeCall(call, path)
    this.calls.push(`${call} ${path.slice(path.lastIndexOf('/') + 1)}`)
    if (this.calls.length > 10_000) this.calls.splice(0, 5_000)
  }

  #at(handle: number): { file: MemoryFile; path: string } {
    const entry = this.#open.get(handle)
    if (!entry) throw errno('EBADF', `file ${handle}`)
    return entry
  }

  #handle(file: MemoryFile, path: string): number {
    const handle = this.#nextFile++
    this.#open.set(handle, { file, path })
    return handle
  }

  #change(file: MemoryFile, change: Change): void {
    file.pending.push(change)
    file.apply(change)
  }

  #changeDirectory(change: DirectoryChange): void {
    this.#directoryChanges.push(change)
    applyToDirectory(this.#names, change)
  }
}

/** The folder whose sync makes a change durable. */
function folderOf(change: DirectoryChange): string {
  return dirname(change.kind === 'rename' ? change.to : change.path)
}

function applyToDirectory(names: Map<string, MemoryFile>, change: DirectoryChange): void {
  if (change.kind === 'link') {
    names.set(change.path, change.file)
  } else if (change.kind === 'unlink') {
    names.delete(change.path)
  } else {
    const file = names.get(change.from)
    if (!file) return
    names.set(change.to, file)
    names.delete(change.from)
  }
}

function surviving(file: MemoryFile, sectorBytes: number, survives: Survives): MemoryFile {
  const image = new MemoryFile(file.durable)
  for (const change of file.pending) {
    if (change.kind === 'truncate') {
      if (survives()) image.apply(change)
      continue
    }
    let from = 0
    while (from < change.bytes.byteLength) {
      const sectorEnd = (Math.floor((change.position + from) / sectorBytes) + 1) * sectorBytes
      const to = Math.min(change.bytes.byteLength, sectorEnd - change.position)
      if (survives()) {
        image.apply({
          kind: 'write',
          position: change.position + from,
          bytes: change.bytes.subarray(from, to),
        })
      }
      from = to
    }
  }
  return new MemoryFile(image.content)
}

function errno(code: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
