import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '#tidemark/log/disk/folders.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { recoverLog } from '#tidemark/log/recover/recovery.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { temporaryDirectory } from '../support/temporary.js'

const folder = '/data/venue/pool/log'

function open(disk: MemoryDisk): void {
  recoverLog({
    disk,
    directory: folder,
    kind: 'log',
    contentVersion: 1,
    maxBatchBytes: 4096,
    initialSegmentBytes: 4096,
  })
}

const isWhole = (disk: MemoryDisk) => disk.list(folder).some((name) => name.endsWith('.wal'))

describe('a log in a folder that is not there', () => {
  it('is on disk when it is open, with every folder above it', () => {
    const disk = new MemoryDisk()
    open(disk)
    expect(isWhole(disk.powerCut())).toBe(true)
  })

  it('is on disk when it is open, though an opening before it ended at any call', () => {
    let calls = 0
    const counted = new MemoryDisk()
    counted.beforeCall = () => calls++
    open(counted)
    let ended = 0
    for (let at = 0; at < calls; at++) {
      const disk = new MemoryDisk()
      let left = at
      disk.beforeCall = () => {
        if (left-- === 0) throw new Error('the process is killed')
      }
      expect(() => open(disk)).toThrowError(/the process is killed/)
      disk.beforeCall = () => {}
      open(disk)
      expect(isWhole(disk.powerCut()), `killed at call ${at}`).toBe(true)
      ended++
    }
    expect(ended).toBeGreaterThan(20)
  })

  it('is refused when the name of a folder can not be synced, and nothing of that folder stays', () => {
    const parents = ['/', '/data', '/data/venue', '/data/venue/pool']
    for (const [i, parent] of parents.entries()) {
      const disk = new MemoryDisk()
      disk.beforeCall = (call, file) => {
        if (call === 'syncDirectory' && file === parent)
          throw Object.assign(new Error('EIO: injected'), { code: 'EIO' })
      }
      expect(() => open(disk)).toThrowError(expect.objectContaining({ code: 'TIDEMARK_LOG_IO' }))
      const made = [...parents.slice(1), folder].filter((name) => disk.exists(name))
      expect(made, parent).toEqual(parents.slice(1, i + 1))
    }
  })
})

describe('a log below a folder that may be written and not read', () => {
  /** What the kernel does there for a user that is not root. */
  function unreadable(disk: MemoryDisk, name: string): void {
    disk.beforeCall = (call, file) => {
      if ((call === 'syncDirectory' || call === 'list') && file === name)
        throw Object.assign(new Error(`EACCES: ${call} ${file}`), { code: 'EACCES' })
    }
  }

  it('is refused with a sentence that says what to do, and nothing of its folder stays', () => {
    for (const parent of ['/data', '/data/venue', '/data/venue/pool']) {
      const disk = new MemoryDisk()
      makeFolder(disk, parent)
      unreadable(disk, parent)
      const below = folder
        .split('/')
        .slice(0, parent.split('/').length + 1)
        .join('/')
      expect(() => open(disk), parent).toThrowError(
        expect.objectContaining({
          code: 'TIDEMARK_LOG_IO',
          message: expect.stringContaining(`Make ${parent} readable, or make ${below} beforehand.`),
          details: { path: parent, errno: 'EACCES' },
        }),
      )
      expect(disk.exists(below)).toBe(false)
    }
  })

  it('opens when its folder was made beforehand, and again', () => {
    const disk = new MemoryDisk()
    makeFolder(disk, folder)
    unreadable(disk, '/data/venue/pool')
    open(disk)
    open(disk)
    expect(isWhole(disk)).toBe(true)
  })
})

describe('a folder on the disk of the machine', () => {
  /** Makes a folder and returns the calls that change or sync folders, in order. */
  function callsOf(target: string, base: string): string[] {
    const calls: string[] = []
    const disk = new NodeDisk()
    const { makeDirectory, syncDirectory } = disk
    disk.makeDirectory = (name) => {
      calls.push(`make ${path.relative(base, name)}`)
      makeDirectory.call(disk, name)
    }
    disk.syncDirectory = (name) => {
      calls.push(`sync ${path.relative(base, name) || '.'}`)
      syncDirectory.call(disk, name)
    }
    makeFolder(disk, target)
    return calls
  }

  it('is made from the top down, each name on disk before the next', () => {
    const base = temporaryDirectory()
    // The one that is there is empty, and may have been made a moment ago.
    const first = ['sync ..', 'make a', 'sync .', 'make a/b', 'sync a', 'make a/b/c', 'sync a/b']
    expect(callsOf(path.join(base, 'a/b/c'), base)).toEqual(first)
    expect(existsSync(path.join(base, 'a/b/c'))).toBe(true)
    expect(callsOf(path.join(base, 'a/b/c'), base)).toEqual(['sync a/b'])
    expect(callsOf(path.join(base, 'a/b'), base)).toEqual([])
    expect(callsOf(path.join(base, 'a/d'), base)).toEqual(['make a/d', 'sync a'])
  })

  it.skipIf(process.getuid?.() === 0)('may be empty in a folder that can not be read', () => {
    const base = temporaryDirectory()
    mkdirSync(path.join(base, 'a/b'), { recursive: true })
    chmodSync(path.join(base, 'a'), 0o300)
    expect(callsOf(path.join(base, 'a/b'), base)).toEqual(['sync a'])
    chmodSync(path.join(base, 'a'), 0o700)
  })
})
