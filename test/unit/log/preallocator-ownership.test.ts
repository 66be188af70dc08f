import { describe, expect, it } from 'vitest'
import { Ownership } from '#tidemark/log/disk/ownership.js'
import { SegmentPreallocator } from '#tidemark/log/flush/preallocator.js'
import { preallocatedName } from '#tidemark/log/format/segment.js'
import { createLogMemory } from '#tidemark/log/ring/memory.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const directory = '/log'
const file1 = `${directory}/${preallocatedName(1)}`

/** A preallocator at its first segment, and what happens to its folder at its call `at`. */
function takenOver(at: number): { disk: MemoryDisk; calls: number; error: unknown } {
  const disk = new MemoryDisk()
  const lock = disk.lock(`${directory}/LOCK`)!
  const folder = disk.identify(directory)!
  const ownership = new Ownership(disk, directory, { folder, lock: lock.identity })
  const memory = createLogMemory(65_536, 4096)
  const preallocator = new SegmentPreallocator({ disk, directory, segmentBytes: 2 ** 20, memory, ownership })
  let calls = 0
  let theirs = false
  disk.beforeCall = (call, file) => {
    if (theirs || !file.startsWith(file1) || ++calls !== at) return
    theirs = true
    // The next owner has a file of the same name, and the write of this one fails.
    disk.replace(`${directory}/LOCK`, Buffer.from('next'))
    disk.replace(file1, Buffer.from('of the next owner'))
    throw Object.assign(new Error(call), { code: 'EIO' })
  }
  let error: unknown
  try {
    preallocator.preallocateOnce()
  } catch (thrown) {
    error = thrown
  }
  return { disk, calls, error }
}

describe('a preallocator whose folder was taken over', () => {
  it('removes no file of the next owner, whichever of its calls failed', () => {
    let at = 1
    for (; ; at++) {
      const { disk, calls, error } = takenOver(at)
      if (calls < at) break
      expect(error).toBeDefined()
      expect([at, disk.contentOf(file1)?.toString()]).toEqual([at, 'of the next owner'])
    }
    expect(at).toBeGreaterThan(4)
  })
})
