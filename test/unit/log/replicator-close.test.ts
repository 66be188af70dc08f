import { expect, it, onTestFinished, vi } from 'vitest'
import { Replicator } from '#tidemark/log/replication/replicator.js'
import { logState } from '#tidemark/log/ring/memory.js'
import { wakeReplicator } from '#tidemark/log/ring/signals.js'
import { takeOver } from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { logWords } from '../../support/log-words.js'
import { MemoryDisk } from '../../support/memory-disk.js'

it('the replicator of a log that closes waits for a flusher that is slower than closeMs, and ships the rest', async () => {
  const disk = new MemoryDisk()
  const inline = new InlineLog(disk, { replicated: true })
  const words = logWords(inline)
  const control32 = new Int32Array(inline.memory.control)
  const cluster = new MemoryCluster()
  const log = cluster.connect('a')
  onTestFinished(async () => {
    await log.close()
    await cluster.close()
  })
  const epoch = await takeOver(log, 'primary', undefined, () => {})
  const { header } = inline.recovered.active
  const left: number[] = []
  const replicator = new Replicator({
    memory: inline.memory,
    disk,
    directory: inlineDirectory,
    log,
    epoch,
    fromLsn: 0,
    windowFirstLsn: 0,
    lineage: { n: epoch.n, segmentEpoch: header.epoch, firstLsn: 0 },
    isNew: true,
    entryBytes: 4096,
    inFlight: 8,
    windowBytes: 1 << 30,
    leaseMs: 60_000,
    closeMs: 5000,
    report: {
      replicated() {},
      stalled() {},
      resumed() {},
      standbys() {},
      incomplete: (bytes) => left.push(bytes),
    },
  })
  inline.producer.tryAppend(1, 0, Buffer.alloc(1000))
  words.state = logState.closing
  const now = vi.spyOn(performance, 'now').mockReturnValue(1000)
  onTestFinished(() => now.mockRestore())
  let over = false
  const running = replicator.run().finally(() => {
    over = true
  })
  await expect.poll(() => log.lineage()).toHaveLength(1)
  now.mockReturnValue(7000)
  wakeReplicator(control32)
  await new Promise((resolve) => setTimeout(resolve, 0))
  expect(over).toBe(false)
  inline.flusher.flush()
  words.state = logState.closed
  wakeReplicator(control32)
  await running
  expect([...left, inline.released]).toEqual([inline.synced])
})
