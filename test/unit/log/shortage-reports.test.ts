import { describe, expect, it } from 'vitest'
import { ShortageReports } from '#tidemark/log/flush/shortage-reports.js'
import { createLogMemory, fullFor, int32 } from '#tidemark/log/ring/memory.js'

const error = { name: 'LogError', message: 'full', code: 'TIDEMARK_DISK_FULL' } as never
const full = { kind: 'disk-full', shortage: 'space', error } as const
const ready = { kind: 'disk-ready' } as const

describe('the reports of a shortage', () => {
  it('are one pair when the preallocator has no room for the segment after the one that the flusher waited for', () => {
    const control32 = new Int32Array(createLogMemory(65_536, 4096).control)
    const reports = new ShortageReports(control32)
    const passed = (message: typeof full | typeof ready, bits: number) => {
      control32[int32.diskFull] = bits
      return reports.passes(message)
    }
    expect(passed(full, fullFor.flusher)).toBe(true)
    expect(passed(ready, fullFor.preallocator)).toBe(false)
    expect(passed(full, fullFor.preallocator)).toBe(false)
    expect(passed(ready, 0)).toBe(true)
    expect(passed(ready, 0)).toBe(false)
    expect(passed(full, fullFor.preallocator)).toBe(true)
  })
})
