import { describe, expect, it, onTestFinished } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { InboundReader } from '#tidemark/pool/inbound-ring.js'
import { InstrumentRegistry } from '#tidemark/pool/instruments.js'
import { encodeRequest, questionKind, requestKind, requestWords } from '#tidemark/pool/requests.js'
import { ShardHandle } from '#tidemark/pool/shard-handle.js'
import type { ShardThreadData } from '#tidemark/pool/shard-thread.js'
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
      maxQuestions: 10,
      snapshot: undefined,
      registry: new InstrumentRegistry(1),
      // A thread that never says anything.
      start: () => new Promise(() => {}),
    })
    onTestFinished(() => shard.close())
    const waiting = shard.ask(questionKind.copy, 0, 0)
    const cause = new Error('the thread died')
    shard.fail(cause)
    await expect(waiting).rejects.toBe(cause)
    await expect(shard.ask(questionKind.copy, 0, 0)).rejects.toBe(cause)
  })
})

describe('a question that finds the ring full of commands', () => {
  it('waits for the shard to take some of them', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    onTestFinished(() => log.close())
    let data: ShardThreadData | undefined
    const shard = new ShardHandle({
      shard: 0,
      shards: 1,
      log,
      maxInFlight: 1,
      maxQuestions: 1,
      snapshot: undefined,
      registry: new InstrumentRegistry(1),
      start: (started) => {
        data = started
        return new Promise(() => {})
      },
    })
    onTestFinished(() => shard.close())
    const command = new Int32Array(requestWords)
    encodeRequest(command, requestKind.cancelAllSymbols, 0, 0, 0, 0, 1, 0)
    let commands = 0
    for (; shard.inbound.fits(requestWords); commands++) shard.inbound.write(command, 0, requestWords)
    const answer = shard.ask(questionKind.order, 0, 1)
    const reader = new InboundReader(data!.inbound)
    for (let at = reader.next(); at >= 0; at = reader.next()) reader.advance(at)
    reader.release()
    while (reader.next() < 0) await new Promise((resolve) => setImmediate(resolve))
    const at = reader.next()
    expect(reader.words[at]! & 0xff).toBe(requestKind.question)
    const id = reader.words[at + 2]! >>> 0
    data!.port.postMessage({ kind: 'answer', id, lsn: 0, answer: { question: 'order', order: undefined } })
    expect(await answer).toEqual({ lsn: 0, answer: { question: 'order', order: undefined } })
    expect(commands).toBeGreaterThan(4)
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
      maxQuestions: 10,
      snapshot: undefined,
      registry: new InstrumentRegistry(1),
      start: async ({ port }) => {
        for (let id = 0; id < 5000; id++) port.postMessage({ kind: 'answer', id, lsn: 0, answer: {} })
        port.postMessage({ kind: 'stopped' })
      },
    })
    onTestFinished(() => shard.close())
    await expect(shard.ended).resolves.toBeUndefined()
  })
})
