import { describe, expect, it } from 'vitest'
import type { Disk } from '#tidemark/log/disk/disk.js'
import { fullFor, shortages } from '#tidemark/log/ring/memory.js'
import { InlineLog, inlineDirectory, reopen } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const segmentBytes = 16 * 1024
const payload = (n: number) => Buffer.alloc(500, n)

/** The calls that take a descriptor. */
const descriptorCalls: readonly (keyof Disk)[] = ['open', 'create', 'list', 'syncDirectory']

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** Fills the active segment but for less than a record, and returns the LSNs of what was appended. */
function fillSegment(log: InlineLog): number[] {
  const lsns: number[] = []
  while (log.tail % segmentBytes < segmentBytes - 600) {
    lsns.push(log.append(payload(lsns.length)))
    log.flushAll()
  }
  return lsns
}

/** A log whose next segment is to be made: of zeros, or of a removed one. */
function logWithNextSegment(recycling: boolean): { disk: MemoryDisk; log: InlineLog; lsns: number[] } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  const lsns: number[] = []
  if (recycling) {
    for (let segment = 0; segment < 3; segment++) {
      lsns.push(...fillSegment(log), log.append(payload(segment)))
      log.flushAll()
    }
    log.removeBefore(segmentBytes)
    expect(disk.list(inlineDirectory).some((name) => name.startsWith('recycled'))).toBe(true)
  }
  return { disk, log, lsns }
}

describe.each([
  ['of zeros', false],
  ['of a removed one', true],
])('making a segment ready, %s', (_, recycling) => {
  it.each(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'])(
    'is not refused for one call that fails with %s',
    (code) => {
      let tried = 0
      for (let number = 0; ; number++) {
        const { disk, log } = logWithNextSegment(recycling)
        let left = number
        let failed = ''
        disk.beforeCall = (call, path) => {
          if (code.endsWith('FILE') && !descriptorCalls.includes(call)) return
          if (call === 'close' || call === 'remove' || left-- !== 0) return
          failed = `${call} ${path}`
          throw failure(code)
        }
        expect(log.preallocator.preallocateOnce(), failed).toBe(true)
        disk.beforeCall = () => {}
        if (failed === '') break
        tried++
        expect(logWords(log).diskFull, failed).toBe(0)
        fillSegment(log)
        const lsn = log.append(payload(1))
        log.flushAll()
        expect(log.released, failed).toBe(lsn)
        const { records, log: again } = reopen(disk.powerCut())
        expect(again.recovered.report.tornTail).toBeUndefined()
        expect(records.at(-1)!.lsn).toBe(lsn)
      }
      expect(tried).toBeGreaterThan(2)
    },
  )

  it('never syncs a file or a folder again whose sync failed', () => {
    const { disk, log } = logWithNextSegment(recycling)
    const calls: string[] = []
    let failures = 0
    disk.beforeCall = (call, path) => {
      calls.push(`${call} ${path}`)
      const first = calls.indexOf(`${call} ${path}`) === calls.length - 1
      if (call === 'syncData' && first && failures++ === 0) throw failure('ENOSPC')
    }
    expect(log.preallocator.preallocateOnce()).toBe(true)
    const [, file] = /^syncData (.*)$/.exec(calls.find((call) => call.startsWith('syncData'))!)!
    const after = calls.slice(calls.indexOf(`syncData ${file}`) + 1)
    expect(after.filter((call) => !call.startsWith('close'))[0]).toBe(`remove ${file}`)
    expect(failures).toBeGreaterThan(0)
  })
})

describe('a rotation without descriptors', () => {
  it.each([
    ['into a segment that is ready', true],
    ['into one that it makes itself', false],
  ])('%s waits, tears nothing, names its reason, and continues by itself', (_, ready) => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    const lsns = fillSegment(log)
    if (ready) log.preallocator.preallocateOnce()
    const released = log.released
    lsns.push(log.append(payload(1)), log.append(payload(2)))
    let refused = 0
    disk.beforeCall = (call) => {
      if (!descriptorCalls.includes(call)) return
      refused++
      throw failure('EMFILE')
    }
    for (let i = 0; i < 5; i++) log.flusher.flush()
    expect(refused).toBeGreaterThan(5)
    expect(log.released).toBe(released)
    expect(logWords(log).diskFull & fullFor.flusher).not.toBe(0)
    expect(shortages[logWords(log).shortage]).toBe('files')
    disk.beforeCall = () => {}
    expect(reopen(disk.clone()).records).toHaveLength(lsns.length - 2)
    log.flushAll()
    expect(logWords(log).diskFull).toBe(0)
    expect(reopen(disk.powerCut()).records.map(({ lsn }) => lsn)).toEqual(lsns)
  })

  it('meets none where the segment that is ready was opened ahead', () => {
    const disk = new MemoryDisk()
    const log = new InlineLog(disk)
    const lsns = fillSegment(log)
    log.preallocator.preallocateOnce()
    log.segments.openAhead()
    disk.beforeCall = (call) => {
      if (descriptorCalls.includes(call)) throw failure('EMFILE')
    }
    lsns.push(log.append(payload(1)))
    log.flushAll()
    disk.beforeCall = () => {}
    expect(reopen(disk.powerCut()).records.map(({ lsn }) => lsn)).toEqual(lsns)
  })

  it('makes its own segment in one of two tries, whichever call fails once for want of room', () => {
    let tried = 0
    for (let number = 0; ; number++) {
      const disk = new MemoryDisk()
      const log = new InlineLog(disk)
      const lsns = fillSegment(log)
      lsns.push(log.append(payload(1)))
      let left = number
      let failed = ''
      disk.beforeCall = (call, path) => {
        // The sync of the active segment, and what comes after the header is written, are final.
        if (call === 'syncData' || call === 'rename' || call === 'close' || call === 'remove') return
        if (failed !== '' || left-- !== 0) return
        failed = `${call} ${path}`
        throw failure('ENOSPC')
      }
      const final = () => failed.startsWith('write') && logWords(log).diskFull === 0
      try {
        log.flusher.flush()
      } catch (error) {
        // The header of the new segment: a restart may find it.
        expect(final(), failed).toBe(true)
        expect(error).toMatchObject({ code: 'TIDEMARK_LOG_IO', details: { errno: 'ENOSPC' } })
        continue
      }
      if (failed === '') break
      tried++
      expect(logWords(log).diskFull, failed).toBe(0)
      log.flusher.flush()
      disk.beforeCall = () => {}
      expect(log.released).toBe(lsns.at(-1))
      expect(reopen(disk.powerCut()).records.map(({ lsn }) => lsn)).toEqual(lsns)
    }
    expect(tried).toBeGreaterThan(2)
  })
})
