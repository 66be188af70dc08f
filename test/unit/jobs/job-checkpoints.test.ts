import { describe, expect, it } from 'vitest'
import type { CheckpointFailure, CheckpointOverdue } from '#tidemark/jobs/index.js'
import { JobCheckpoints } from '#tidemark/jobs/state/job-checkpoints.js'
import { ManualClock } from '../../support/manual-clock.js'

function checkpoints() {
  const clock = new ManualClock()
  const error = Object.assign(new Error('the disk is full'), { code: 'TIDEMARK_JOB_SNAPSHOT_IO' })
  const state = { fails: true, tries: 0, taken: 0 }
  const store = {
    eventsSinceSnapshot: 0,
    checkpointing: false,
    async checkpointSettled() {},
    get isCheckpointDue() {
      return store.eventsSinceSnapshot > 0
    },
    async checkpoint() {
      state.tries++
      if (state.fails) throw error
      store.eventsSinceSnapshot = 0
    },
  }
  const failed: CheckpointFailure[] = []
  const overdue: CheckpointOverdue[] = []
  const all = new JobCheckpoints({
    store,
    everyEvents: () => 10,
    taken: () => state.taken++,
    failed: (failure) => failed.push(failure),
    overdue: (one) => overdue.push(one),
    clock,
  })
  const change = async (events: number) => {
    for (let i = 0; i < events; i++) {
      store.eventsSinceSnapshot++
      all.changed()
      await settled()
    }
  }
  const advance = async (ms: number) => {
    clock.advance(ms)
    await settled()
  }
  return { clock, error, state, failed, overdue, all, change, advance }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await null
}

describe('checkpoints of jobs that fail', () => {
  it('are tried again after 1, 2, 4 … seconds and reported, and so is what waits for one each time it has doubled', async () => {
    const { state, failed, overdue, all, change, advance, error } = checkpoints()
    await change(100)
    expect(state.tries).toBe(1)
    expect(failed).toEqual([{ error, failures: 1, retryMs: 1000, events: 10 }])
    expect(overdue.map(({ events }) => events)).toEqual([20, 40, 80])
    await advance(999)
    expect(state.tries).toBe(1)
    await advance(1)
    await advance(2000)
    expect(failed.map(({ retryMs }) => retryMs)).toEqual([1000, 2000, 4000])
    state.fails = false
    await advance(4000)
    expect(state).toMatchObject({ tries: 4, taken: 1 })
    expect(all.metrics()).toMatchObject({
      checkpoints: 1,
      checkpointFailures: 3,
      checkpointRetryAtMs: undefined,
    })
  })

  it('are tried at once when the disk has room again, and then at most once a minute', async () => {
    const { state, all, change, advance } = checkpoints()
    await change(10)
    for (const ms of [1000, 2000, 4000, 8000]) await advance(ms)
    expect(state.tries).toBe(5)
    all.diskReady()
    await advance(0)
    expect(state.tries).toBe(6)
    for (let i = 0; i < 10; i++) {
      all.diskReady()
      await advance(0)
    }
    expect(state.tries).toBe(6)
    state.fails = false
    await advance(60_000)
    expect(state).toMatchObject({ tries: 7, taken: 1 })
    all.diskReady()
    await advance(0)
    expect(state.tries).toBe(7)
  })

  it('are not tried again after a stop, and one that is asked for is still reported', async () => {
    const { state, failed, all, change, advance, clock, error } = checkpoints()
    await change(10)
    all.stop()
    await change(10)
    await advance(1_000_000)
    expect(state.tries).toBe(1)
    await expect(all.take()).rejects.toBe(error)
    expect(failed.at(-1)).toMatchObject({ failures: 2, retryMs: undefined })
    expect(clock.pending).toBe(0)
  })
})
