import { writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { dumpLog, type JobController } from '#tidemark/jobs/index.js'
import { smallTmpfs, whyNoTmpfs } from '../support/small-disk.js'
import { newQueue } from '../unit/jobs/support/queues.js'

const log = { segmentBytes: 1024 * 1024, ringBytes: 65_536, maxBatchBytes: 4096 }
const diskBytes = 6 * 1024 * 1024
const whyNot = whyNoTmpfs()

interface Filled {
  readonly queue: JobController
  readonly events: string[]
  readonly taken: string[]
  /** Lets the handlers end. */
  end(): void
}

/** A queue with two attempts in flight, on a disk that takes no more jobs. */
async function fill(dir: string): Promise<Filled> {
  const queue = await newQueue({ dir, log, concurrency: 2, keepHistory: true })
  const events: string[] = []
  queue.on('error', (error) => events.push((error as { code?: string }).code ?? 'error'))
  for (const name of ['diskFull', 'diskReady'] as const) queue.on(name, () => events.push(name))
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  let running = 0
  queue.start(async ({ id }) => {
    running++
    await ended
    if (id === 'fails') throw new Error('again')
  })
  await queue.enqueueMany([{ id: 'ends' }, { id: 'fails', maxAttempts: 1 }])
  const taken = ['ends', 'fails']
  await vi.waitFor(() => expect(running).toBe(2), 20_000)
  // The smallest events, those of attempts, are to find no room either.
  let bytes = 2000
  for (let n = 0; ; n++) {
    try {
      taken.push((await queue.enqueue({ id: `job-${n}`, payload: 'x'.repeat(bytes) })).id)
    } catch (error) {
      expect(error).toMatchObject({ code: 'TIDEMARK_DISK_FULL' })
      if (bytes === 0) break
      bytes = bytes > 100 ? 100 : 0
    }
  }
  return { queue, events, taken, end }
}

function typesOf(dir: string, type: string): string[] {
  return [...dumpLog(dir)].filter((event) => event.type === type).map(({ jobId }) => jobId)
}

describe.skipIf(whyNot)(`a full disk under a queue${whyNot ? ` (${whyNot})` : ''}`, () => {
  it('refuses new jobs, and what happened is logged once when there is room again', async () => {
    const disk = smallTmpfs(diskBytes)
    writeFileSync(path.join(disk.folder, 'ballast'), Buffer.alloc(2 * 1024 * 1024))
    const dir = path.join(disk.folder, 'jobs')
    const { queue, events, taken, end } = await fill(dir)
    end()
    await vi.waitFor(() => expect(queue.metrics().waitingSteps).toBeGreaterThan(0), 20_000)
    expect(queue.metrics().diskFull).toBe(true)
    await expect(queue.enqueueMany([{ id: 'm1' }, { id: 'm2' }])).rejects.toMatchObject({
      code: 'TIDEMARK_DISK_FULL',
    })
    await expect(queue.cancel('job-1')).rejects.toMatchObject({ code: 'TIDEMARK_DISK_FULL' })
    await expect(queue.checkpoint()).rejects.toMatchObject({ code: 'TIDEMARK_DISK_FULL' })
    expect((await queue.status()).state).toBe('running')
    disk.makeRoom()
    await queue.drained()
    expect(queue.metrics()).toMatchObject({ diskFull: false, waitingSteps: 0 })
    expect((await queue.enqueue({ id: 'after' })).added).toBe(true)
    await queue.drained()
    expect(events).toEqual(['diskFull', 'diskReady'])
    expect(typesOf(dir, 'ACK').sort()).toEqual([...taken, 'after'].filter((id) => id !== 'fails').sort())
    expect(typesOf(dir, 'DEAD')).toEqual(['fails'])
    expect(typesOf(dir, 'DISPATCH').length).toBe(taken.length + 1)
    await queue.checkpoint()
    await queue.close()
  })

  it('that gets no room until the queue closes makes the close say so, and the attempts are made again', async () => {
    const disk = smallTmpfs(diskBytes)
    const dir = path.join(disk.folder, 'jobs')
    const { queue, events, taken, end } = await fill(dir)
    end()
    await vi.waitFor(() => expect(queue.metrics().waitingSteps).toBeGreaterThan(0), 20_000)
    await expect(queue.close({ graceMs: 10 })).rejects.toMatchObject({
      code: 'TIDEMARK_DISK_FULL',
    })
    expect(events).toEqual(['diskFull'])
    const over = new Set([...typesOf(dir, 'ACK'), ...typesOf(dir, 'DEAD')])
    disk.makeRoom()
    const again = await newQueue({ dir, log })
    const ran: string[] = []
    again.start(({ id }) => void ran.push(id))
    await again.drained()
    expect(ran.sort()).toEqual(taken.filter((id) => !over.has(id)).sort())
    expect(ran.length).toBeGreaterThan(taken.length - 10)
  })
})
