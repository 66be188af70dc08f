import { describe, expect, it, onTestFinished } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { ReportSlab } from '#tidemark/pool/execution-report.js'
import { InstrumentRegistry } from '#tidemark/pool/instruments.js'
import { questionKind } from '#tidemark/pool/requests.js'
import { ShardHandle } from '#tidemark/pool/shard-handle.js'
import { temporaryDirectory } from '../../support/temporary.js'

describe('a shard that failed', () => {
  it('rejects the question that waits, and the one that comes later, as of a checkpoint under way', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    onTestFinished(() => log.close())
    const shard = new ShardHandle({
      shard: 0,
      shards: 1,
      log,
      maxInFlight: 100,
      snapshot: undefined,
      context: { slab: new ReportSlab(), registry: new InstrumentRegistry(1) },
      // A thread that never says anything.
      start: () => new Promise(() => {}),
    })
    onTestFinished(() => shard.close())
    const waiting = shard.ask(questionKind.book, 0, 0)
    const cause = new Error('the thread died')
    shard.fail(cause)
    await expect(waiting).rejects.toBe(cause)
    await expect(shard.ask(questionKind.book, 0, 0)).rejects.toBe(cause)
  })
})

describe('a shard that ended as it was told to', () => {
  it('is known to have, though its end is heard of before its last word', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    onTestFinished(() => log.close())
    const shard = new ShardHandle({
      shard: 0,
      shards: 1,
      log,
      maxInFlight: 100,
      snapshot: undefined,
      context: { slab: new ReportSlab(), registry: new InstrumentRegistry(1) },
      start: async ({ port }) => {
        for (let id = 0; id < 5000; id++) port.postMessage({ kind: 'answer', id, lsn: 0, answer: {} })
        port.postMessage({ kind: 'stopped' })
      },
    })
    onTestFinished(() => shard.close())
    await expect(shard.ended).resolves.toBeUndefined()
  })
})
