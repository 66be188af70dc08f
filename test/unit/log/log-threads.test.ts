import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { takeFolder } from '#tidemark/log/disk/ownership.js'
import { LogThreads } from '#tidemark/log/flush/log-threads.js'
import { SealedCheck } from '#tidemark/log/recover/sealed-check.js'
import { createLogMemory } from '#tidemark/log/ring/memory.js'
import { temporaryDirectory } from '../../support/temporary.js'

describe('the threads of a log', () => {
  it('report a flusher that ended before there was a listener to the next listener', async () => {
    const directory = temporaryDirectory()
    const memory = createLogMemory(65_536, 4096)
    const disk = new NodeDisk()
    const taken = await takeFolder(disk, directory, () => false)
    onTestFinished(() => taken!.release())
    const threads = new LogThreads(memory)
    await threads.start({
      memory,
      directory,
      identity: taken!.identity,
      kind: 'log',
      contentVersion: 1,
      coveredLsn: undefined,
      copies: undefined,
      releasedBy: 0,
      maxBatchBytes: 4096,
      segmentBytes: 65_536,
      initialSegmentBytes: 65_536,
      flush: { batchSize: 1, batchDelayMs: 0, durability: 'group' },
      sealed: new SealedCheck(disk, directory).states,
    })
    const flusher = threads.workers[0]!
    const exit = once(flusher, 'exit')
    await flusher.terminate()
    await exit
    const failures: unknown[] = []
    threads.own({ failed: (error) => failures.push(error), disk: () => {} })
    expect(failures).toEqual([expect.objectContaining({ code: 'TIDEMARK_THREAD_DIED' })])
  })
})
