import * as fs from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { JobStore } from '#tidemark/jobs/state/job-store.js'
import { snapshotName } from '#tidemark/jobs/state/snapshot.js'
import { temporaryDirectory } from '../../support/temporary.js'
import { smallLog } from './support/folders.js'

const keepFinished = { count: 10, ageMs: Number.POSITIVE_INFINITY }
const job = { payloadJson: 'null', timeoutMs: 1, priority: 0, maxAttempts: 1 }

describe('a checkpoint', () => {
  it('puts no snapshot in place before the log is on disk as far as the snapshot goes', async () => {
    const dir = temporaryDirectory()
    const log = { segmentBytes: 1024 * 1024, batchSize: 1_000_000, batchDelayMs: 200 }
    const store = await JobStore.open({ dir, keepFinished, keepHistory: false, log })
    let n = 0
    const writing = setInterval(() => store.enqueue({ ...job, id: `job-${n++}` }), 1)
    const file = path.join(dir, snapshotName)
    const seen: boolean[] = []
    const watching = setInterval(() => {
      if (seen.length > 0 || !fs.existsSync(file)) return
      const { lsn } = JSON.parse(fs.readFileSync(file, 'utf8').split('\n', 1)[0]!) as { lsn: number }
      seen.push(lsn <= store.log.durableLsn)
    }, 0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await store.checkpoint()
    await new Promise((resolve) => setTimeout(resolve, 5))
    clearInterval(writing)
    clearInterval(watching)
    expect(seen).toEqual([true])
    expect(store.eventsSinceSnapshot).toBeGreaterThan(0)
    await store.close()
  })

  it('waits for the one before it, also when that one fails', async () => {
    const dir = temporaryDirectory()
    const store = await JobStore.open({ dir, keepFinished, keepHistory: false, log: smallLog })
    store.enqueue({ ...job, id: 'a' })
    const file = path.join(dir, snapshotName)
    fs.mkdirSync(file)
    const first = store.checkpoint().catch((error) => {
      fs.rmdirSync(file)
      return (error as { code: string }).code
    })
    const second = store.checkpoint()
    expect(store.checkpointing).toBe(true)
    expect(await first).toBe('TIDEMARK_JOB_SNAPSHOT_IO')
    // The folder is cleared in a callback of the first, which may come after the start of the second.
    await second.catch(() => store.checkpoint())
    expect(store.checkpointing).toBe(false)
    expect(fs.existsSync(file)).toBe(true)
    await store.close()
  })
})
