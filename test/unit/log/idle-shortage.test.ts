import { describe, expect, it } from 'vitest'
import { fullFor, int32, logState } from '#tidemark/log/ring/memory.js'
import { InlineLog } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const segmentBytes = 16 * 1024

describe('a log that falls idle where its disk has no room for a sync marker', () => {
  it('takes records again when there is room, though nothing waits in its ring', () => {
    const disk = new MemoryDisk()
    let looks = 0
    let wasShort = false
    const confirm = () => {
      if ((logWords(log).diskFull & fullFor.flusher) !== 0) wasShort = true
      if (!wasShort) return
      disk.beforeCall = () => {}
      log.preallocator.preallocateOnce()
      left = logWords(log).diskFull
      if (left === 0 || ++looks === 5) Atomics.store(control, int32.state, logState.closing)
    }
    const ownership = { confirm, check: () => {}, watch: () => {}, nextCheckMs: 1 }
    const log: InlineLog = new InlineLog(disk, { segmentBytes, ownership })
    const control = new Int32Array(log.memory.control)
    let left: number | undefined
    const batchBytes = log.append(Buffer.alloc(504)) && log.tail
    while (segmentBytes - log.tail > 2 * batchBytes) {
      log.append(Buffer.alloc(504))
      log.flushAll()
    }
    log.append(Buffer.alloc(504 + segmentBytes - log.tail - batchBytes))
    log.flushAll()
    expect(log.tail).toBe(segmentBytes)
    disk.beforeCall = (call) => {
      if (call === 'create' || call === 'write')
        throw Object.assign(new Error('injected'), { code: 'ENOSPC' })
    }
    log.flusher.run()
    expect(wasShort).toBe(true)
    expect(left).toBe(0)
  })
})
