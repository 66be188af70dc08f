import { describe, expect, it } from 'vitest'
import { LogError } from '#tidemark/log/index.js'
import { CheckpointSchedule } from '#tidemark/pool/checkpoint/checkpoint-schedule.js'
import type { CheckpointFailure, CheckpointOverdue, CheckpointReport } from '#tidemark/pool/types.js'
import { ManualClock } from '../../support/manual-clock.js'

const checkpointBytes = 1000

/** A schedule over a log that is a number, and checkpoints that fail as long as `error` is set. */
function scheduled(times: { checkpointBytes?: number; checkpointIntervalMs?: number } = {}) {
  const clock = new ManualClock(1_000_000)
  const log = { durableLsn: 0, poisoned: undefined as Error | undefined }
  const state = { error: undefined as Error | undefined, tries: 0 }
  const failed: CheckpointFailure[] = []
  const overdue: CheckpointOverdue[] = []
  const schedule = new CheckpointSchedule({
    async take() {
      state.tries++
      if (state.error) throw state.error
      const taken = { endLsn: log.durableLsn, replayFromLsn: log.durableLsn }
      schedule.placed(taken)
      return { lsn: log.durableLsn } as CheckpointReport
    },
    log,
    times: { checkpointBytes, checkpointIntervalMs: 0, ...times },
    clock,
    snapshot: { endLsn: 0, replayFromLsn: 0 },
    hasSnapshot: false,
  })
  schedule.onFailed = (failure) => failed.push(failure)
  schedule.onOverdue = (one) => overdue.push(one)
  /** Settles a command of so many bytes, as the pool does. */
  const log1 = async (bytes: number) => {
    log.durableLsn += bytes
    if (schedule.due(1)) await schedule.checkpoint().catch(() => {})
  }
  const advance = async (ms: number) => {
    clock.advance(ms)
    for (let i = 0; i < 5; i++) await null
  }
  return { clock, log, state, failed, overdue, schedule, command: log1, advance }
}

const full = new LogError('TIDEMARK_LOG_IO', 'Could not write: the disk is full.', { errno: 'ENOSPC' })

describe('checkpoints that fail', () => {
  it('are tried at once when the disk has room again', async () => {
    const { state, schedule, command, advance } = scheduled()
    state.error = full
    await command(checkpointBytes)
    await advance(1000)
    await advance(2000)
    expect(state.tries).toBe(3)
    state.error = undefined
    schedule.diskReady()
    await advance(0)
    expect(schedule.stats()).toMatchObject({ taken: 1, failed: 3, retryAtMs: undefined })
  })

  it('are tried again after 1, 2, 4 … seconds and at most a minute, however much is logged meanwhile', async () => {
    const { state, failed, command, advance, schedule, clock } = scheduled()
    state.error = full
    for (let i = 0; i < 2000; i++) await command(100)
    expect(state.tries).toBe(1)
    const delays = []
    for (let i = 0; i < 9; i++) {
      const { retryMs } = failed.at(-1)!
      delays.push(retryMs! / 1000)
      expect(schedule.stats().retryAtMs).toBe(clock.wallMs() + retryMs!)
      await advance(retryMs! - 1)
      for (let more = 0; more < 10; more++) await command(100)
      expect(state.tries).toBe(i + 1)
      await advance(1)
      expect(state.tries).toBe(i + 2)
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
    expect(failed.map(({ failures }) => failures)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(schedule.stats()).toMatchObject({
      taken: 0,
      failed: 10,
      failuresInARow: 10,
      lastLsn: undefined,
      lastError: { code: 'TIDEMARK_LOG_IO', message: full.message },
    })
    await schedule.close()
    expect(clock.pending).toBe(0)
  })

  it('are counted from the beginning again after one that is taken', async () => {
    const { state, failed, log, command, advance, schedule } = scheduled()
    state.error = full
    await command(1000)
    await advance(1000)
    expect(failed.at(-1)!.retryMs).toBe(2000)
    state.error = undefined
    await advance(2000)
    expect(schedule.stats()).toMatchObject({
      taken: 1,
      failed: 2,
      failuresInARow: 0,
      lastLsn: log.durableLsn,
      logBytes: 0,
      retryAtMs: undefined,
    })
    state.error = full
    await command(1000)
    expect(failed.at(-1)).toMatchObject({ failures: 1, retryMs: 1000 })
  })

  it('do not keep one that is asked for from being taken', async () => {
    const { state, failed, command, advance, schedule } = scheduled()
    state.error = full
    await command(1000)
    await expect(schedule.checkpoint()).rejects.toBe(full)
    expect(failed).toHaveLength(2)
    state.error = undefined
    await schedule.checkpoint()
    const { tries } = state
    // The retry that was waited for is called off.
    await advance(100_000)
    expect(state.tries).toBe(tries)
  })

  it('are reported once each time the log has doubled: 2, 4, 8 times what it may be', async () => {
    const { state, overdue, command } = scheduled()
    state.error = full
    for (let i = 0; i < 100; i++) await command(100)
    expect(overdue.map(({ logBytes }) => logBytes)).toEqual([2000, 4000, 8000])
    expect(overdue[0]).toEqual({ error: full, failures: 1, logBytes: 2000, checkpointBytes })
  })

  it('are no reason to warn while they succeed, and the warning begins anew after one', async () => {
    const { state, overdue, command, advance } = scheduled()
    for (let i = 0; i < 100; i++) await command(900)
    expect(overdue).toEqual([])
    state.error = full
    for (let i = 0; i < 30; i++) await command(100)
    expect(overdue).toHaveLength(1)
    state.error = undefined
    await advance(1000)
    state.error = full
    for (let i = 0; i < 30; i++) await command(100)
    expect(overdue).toHaveLength(2)
  })

  it('by time wait for the retry and not for the interval', async () => {
    const { state, command, advance, schedule, clock } = scheduled({
      checkpointBytes: 0,
      checkpointIntervalMs: 10_000,
    })
    state.error = full
    await command(8)
    await advance(10_000)
    expect(state.tries).toBe(1)
    await advance(1000)
    expect(state.tries).toBe(2)
    state.error = undefined
    await advance(2000)
    expect(schedule.stats()).toMatchObject({ taken: 1, failed: 2 })
    await advance(50_000)
    expect(state.tries).toBe(3)
    await schedule.close()
    expect(clock.pending).toBe(0)
  })

  it('of which none is taken by itself are not tried again', async () => {
    const { state, failed, advance, schedule, clock } = scheduled({ checkpointBytes: 0 })
    state.error = full
    await expect(schedule.checkpoint()).rejects.toBe(full)
    expect(failed).toMatchObject([{ retryMs: undefined }])
    await advance(1_000_000)
    expect(state.tries).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('because the log is poisoned are counted, and reported by the pool alone', async () => {
    const { state, log, failed, schedule, clock } = scheduled()
    state.error = full
    log.poisoned = new Error('poisoned')
    await expect(schedule.checkpoint()).rejects.toBe(full)
    expect(failed).toEqual([])
    expect(schedule.stats().failed).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('are named by the error of a disk that is full meanwhile', async () => {
    const { state, command, schedule } = scheduled()
    const disk = new LogError('TIDEMARK_DISK_FULL', 'The log takes nothing more.', { errno: 'ENOSPC' })
    expect(schedule.explain(disk)).toBe(disk)
    state.error = full
    await command(1000)
    expect(schedule.explain(disk)).toMatchObject({
      code: 'TIDEMARK_DISK_FULL',
      message: expect.stringContaining(full.message),
      details: { errno: 'ENOSPC', failures: 1, logBytes: 1000 },
      cause: full,
    })
  })
})
