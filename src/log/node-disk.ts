import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import type { AsyncDisk, Disk } from './disk.js'

/** The disk of the machine, through node:fs. */
export class NodeDisk implements Disk {
  readonly async: AsyncDisk = asyncNodeDisk

  exists(path: string): boolean {
    return fs.existsSync(path)
  }

  makeDirectory(path: string): void {
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

  lock(path: string): (() => void) | undefined {
    // Loaded when it is wanted: one thread of a log locks, and the others are not to wait for a native module.
    const { tryLock, unlock } = createRequire(import.meta.url)(
      'fs-native-extensions',
    ) as typeof import('fs-native-extensions')
    const file = fs.openSync(path, 'a+', 0o644)
    let granted = false
    try {
      granted = tryLock(file)
    } finally {
      if (!granted) fs.closeSync(file)
    }
    if (!granted) return undefined
    return () => {
      try {
        unlock(file)
      } catch {
        // Closing the file frees it too.
      }
      fs.closeSync(file)
    }
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
