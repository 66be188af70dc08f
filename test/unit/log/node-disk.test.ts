import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { temporaryDirectory } from '../../support/temporary.js'

describe('a lock file', () => {
  it('that is released twice closes no other file', () => {
    const directory = temporaryDirectory()
    const disk = new NodeDisk()
    const lock = disk.lock(path.join(directory, 'LOCK'))!
    const file = path.join(directory, 'other')
    writeFileSync(file, '')
    lock.release()
    // The lowest free descriptor: the one that the lock had, and the others in case it was taken meanwhile.
    const others = Array.from({ length: 16 }, () => openSync(file, 'r+'))
    lock.release()
    for (const other of others) expect(writeSync(other, 'x')).toBe(1)
    for (const other of others) closeSync(other)
    const again = disk.lock(path.join(directory, 'LOCK'))
    expect(again).toBeDefined()
    again!.release()
  })
})
