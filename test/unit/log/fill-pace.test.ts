import { afterEach, describe, expect, it, vi } from 'vitest'
import { FillPace } from '#tidemark/log/flush/fill-pace.js'
import { createLogMemory, int64, LogViews, startLogMemory } from '#tidemark/log/ring/memory.js'

describe('the pace at which a segment is preallocated', () => {
  afterEach(() => vi.restoreAllMocks())

  function setUp() {
    const memory = createLogMemory(64 * 1024, 4096)
    startLogMemory(memory, 8000, 1)
    const wait = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out')
    const { control64 } = new LogViews(memory)
    const pace = new FillPace(memory)
    pace.begin(1000)
    const log = (bytes: number) => Atomics.add(control64, int64.released, BigInt(bytes))
    return { wait, pace, log }
  }

  it('is full speed beside an idle log', () => {
    const { wait, pace } = setUp()
    pace.rest(0.1)
    pace.rest(0.2)
    expect(wait).not.toHaveBeenCalled()
  })

  it('rests beside a busy log while twice as much is filled as was used up', () => {
    const { wait, pace, log } = setUp()
    log(104)
    pace.rest(0.21)
    expect(wait).toHaveBeenCalledTimes(1)
    log(96)
    pace.rest(0.39)
    expect(wait).toHaveBeenCalledTimes(1)
    log(8)
    pace.rest(0.42)
    expect(wait).toHaveBeenCalledTimes(2)
  })
})
