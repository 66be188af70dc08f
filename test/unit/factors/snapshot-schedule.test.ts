import { describe, expect, it } from 'vitest'
import { SnapshotSchedule } from '#tidemark/factors/durable/snapshot-schedule.js'
import { FactorError, type SnapshotFailure, type SnapshotOverdue } from '#tidemark/factors/index.js'
import { ManualClock } from '../../support/manual-clock.js'

const full = new FactorError('TIDEMARK_SNAPSHOT_IO', 'Could not write: the disk is full.', {})

function scheduled(everyTicks = 10) {
  const clock = new ManualClock()
  const state = { error: full as Error | undefined, tries: 0 }
  const take = async (checkpointId: string) => {
    state.tries++
    if (state.error) throw state.error
    return { checkpointId, lsn: 8, timestamp: 1 }
  }
  const schedule = new SnapshotSchedule(everyTicks, take, clock)
  const failed: SnapshotFailure[] = []
  const overdue: SnapshotOverdue[] = []
  schedule.onFailed = (failure) => failed.push(failure)
  schedule.onOverdue = (one) => overdue.push(one)
  const settle = async () => {
    for (let i = 0; i < 8; i++) await null
  }
  const ticks = async (count: number) => {
    for (let i = 0; i < count; i++) {
      schedule.tick()
      await settle()
    }
  }
  const advance = async (ms: number) => {
    clock.advance(ms)
    await settle()
  }
  return { clock, state, schedule, failed, overdue, ticks, advance }
}

describe('snapshots of an engine that fail', () => {
  it('are tried again after 1, 2, 4 … seconds and reported, and so are the ticks that wait for one each time they have doubled', async () => {
    const { state, schedule, failed, overdue, ticks, advance } = scheduled()
    await ticks(100)
    expect(state.tries).toBe(1)
    expect(failed).toEqual([{ error: full, failures: 1, retryMs: 1000, ticks: 10 }])
    expect(overdue.map(({ ticks: waiting }) => waiting)).toEqual([20, 40, 80])
    await advance(1000)
    await advance(2000)
    expect(failed.map(({ retryMs }) => retryMs)).toEqual([1000, 2000, 4000])
    expect(schedule.ticks).toBe(100)
    state.error = undefined
    await advance(4000)
    expect(schedule.counts).toMatchObject({ taken: 1, failed: 3, failuresInARow: 0, retryAtMs: undefined })
    expect(schedule.ticks).toBe(0)
    await ticks(10)
    expect(schedule.counts.taken).toBe(2)
  })

  it('are tried at once when the disk has room again', async () => {
    const { state, schedule, ticks, advance } = scheduled()
    await ticks(10)
    await advance(1000)
    await advance(2000)
    expect(state.tries).toBe(3)
    state.error = undefined
    schedule.diskReady()
    await advance(0)
    expect(schedule.counts).toMatchObject({ taken: 1, failed: 3, retryAtMs: undefined })
  })

  it('that the caller caused are no failures of the disk, and delay no later try', async () => {
    const { state, schedule, failed, clock } = scheduled()
    state.error = new FactorError('TIDEMARK_BAD_NAME', 'Use a shorter name.', {})
    await expect(schedule.take('x'.repeat(1000))).rejects.toBe(state.error)
    expect(failed).toEqual([])
    expect(schedule.counts.failed).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('are not tried again by an engine that takes none by itself, nor after a stop', async () => {
    for (const everyTicks of [0, 10]) {
      const { state, schedule, failed, ticks, clock } = scheduled(everyTicks)
      if (everyTicks > 0) schedule.stop()
      await ticks(100)
      expect(state.tries).toBe(0)
      await expect(schedule.take('last')).rejects.toBe(full)
      expect(failed).toMatchObject([{ retryMs: undefined }])
      expect(clock.pending).toBe(0)
    }
  })
})
