import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { JobController } from '#tidemark/jobs/index.js'
import { temporaryDirectory } from '../support/temporary.js'
import { newQueue } from '../unit/jobs/support/queues.js'

const hourMs = 3_600_000

/** Sets the wall clock of this process ahead or back; its monotonic clock runs on. */
function setWallClock(): { by(ms: number): void } {
  const real = Date.now.bind(Date)
  let offsetMs = 0
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => real() + offsetMs)
  onTestFinished(() => spy.mockRestore())
  return {
    by: (ms) => {
      offsetMs = ms
    },
  }
}

async function runOnce(queue: JobController, id: string): Promise<boolean> {
  const { added } = await queue.enqueue({ id })
  await queue.drained()
  return added
}

describe('the id of a finished job', () => {
  it('is free again when it is too old, though nothing else happens in the queue', async () => {
    const queue = await newQueue({ keepFinished: { ageMs: 40 } })
    queue.start(() => {})
    expect(await runOnce(queue, 'hourly')).toBe(true)
    await delay(60)
    expect(await runOnce(queue, 'hourly')).toBe(true)
    expect((await queue.status()).totals.completed).toBe(2)
  })

  it('is forgotten by itself, so that an idle queue keeps no memory of it', async () => {
    const queue = await newQueue({ keepFinished: { ageMs: 20 } })
    queue.start(() => {})
    for (const id of ['a', 'b', 'c']) await runOnce(queue, id)
    await vi.waitFor(async () => expect((await queue.status()).finishedKept).toBe(0), 20_000)
  })

  it('is free again when it became too old while the queue was closed', async () => {
    const dir = temporaryDirectory()
    const first = await newQueue({ dir, keepFinished: { ageMs: hourMs } })
    first.start(() => {})
    await runOnce(first, 'a')
    await first.close()
    const clock = setWallClock()
    const second = await newQueue({ dir, keepFinished: { ageMs: hourMs } })
    expect((await second.enqueue({ id: 'a' })).added).toBe(false)
    await second.close()
    clock.by(2 * hourMs)
    const third = await newQueue({ dir, keepFinished: { ageMs: hourMs } })
    expect((await third.status()).finishedKept).toBe(0)
    expect((await third.enqueue({ id: 'a' })).added).toBe(true)
  })

  it('is kept as long as it should be when the wall clock is set ahead', async () => {
    const clock = setWallClock()
    const queue = await newQueue({ keepFinished: { ageMs: hourMs } })
    queue.start(() => {})
    await runOnce(queue, 'a')
    clock.by(2 * hourMs)
    await runOnce(queue, 'b')
    expect(await runOnce(queue, 'a')).toBe(false)
  })

  it('is kept no longer than it should be when the wall clock is set back', async () => {
    const clock = setWallClock()
    const queue = await newQueue({ keepFinished: { ageMs: 40 } })
    queue.start(() => {})
    await runOnce(queue, 'a')
    clock.by(-hourMs)
    await delay(60)
    expect(await runOnce(queue, 'a')).toBe(true)
  })
})

describe('a retry', () => {
  it('comes after its delay when the wall clock is set back while it waits', async () => {
    const clock = setWallClock()
    const queue = await newQueue({ backoff: () => 30 })
    let runs = 0
    queue.start(() => {
      if (++runs > 1) return
      clock.by(-hourMs)
      throw new Error('again')
    })
    queue.once('retried', () => clock.by(-2 * hourMs))
    await queue.enqueue({ id: 'a' })
    await queue.drained()
    expect(runs).toBe(2)
  })

  it('waits no longer than its delay after a restart, wherever the wall clock stands', async () => {
    const dir = temporaryDirectory()
    const clock = setWallClock()
    const first = await newQueue({ dir, backoff: () => 30 })
    const retried = new Promise((resolve) => first.once('retried', resolve))
    first.start(() => {
      throw new Error('again')
    })
    await first.enqueue({ id: 'a', maxAttempts: 2 })
    await retried
    await first.close({ graceMs: 0 })
    clock.by(-hourMs)
    const second = await newQueue({ dir })
    second.start(() => {})
    await second.drained()
    expect((await second.get('a'))!.state).toMatch(/completed|dead/)
  })

  it('waits out the rest of a long delay after a restart', async () => {
    const dir = temporaryDirectory()
    const clock = setWallClock()
    const first = await newQueue({ dir, backoff: () => hourMs })
    const retried = new Promise((resolve) => first.once('retried', resolve))
    first.start(() => {
      throw new Error('again')
    })
    await first.enqueue({ id: 'a' })
    await retried
    await first.close()
    const second = await newQueue({ dir })
    second.start(() => {})
    await second.enqueue({ id: 'b' })
    await vi.waitFor(async () => expect((await second.get('b'))!.state).toBe('completed'), 20_000)
    expect((await second.get('a'))!.state).toBe('pending')
    await second.close()
    clock.by(hourMs)
    const third = await newQueue({ dir })
    third.start(() => {})
    await third.drained()
    expect((await third.get('a'))!.state).toBe('completed')
  })
})
