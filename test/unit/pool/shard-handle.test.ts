import { describe, expect, it, onTestFinished } from 'vitest'
import { toErrorMessage } from '#tidemark/log/errors.js'
import { DurableLog } from '#tidemark/log/index.js'
import { AcknowledgementLatency } from '#tidemark/pool/delivery/acknowledgement-latency.js'
import { InstrumentRegistry } from '#tidemark/pool/instruments.js'
import { createInboundMemory, InboundReader, InboundWriter } from '#tidemark/pool/shard/inbound-ring.js'
import { encodeRequest, questionKind, requestKind, requestWords } from '#tidemark/pool/shard/requests.js'
import { ShardHandle } from '#tidemark/pool/shard/shard-handle.js'
import { runShardThread, type ShardThreadData } from '#tidemark/pool/shard/shard-thread.js'
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
      spinUs: 0,
      snapshot: undefined,
      waiting: { registry: new InstrumentRegistry(1), latency: new AcknowledgementLatency() },
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
      spinUs: 0,
      snapshot: undefined,
      waiting: { registry: new InstrumentRegistry(1), latency: new AcknowledgementLatency() },
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

describe('a shard that ended because it was stopped', () => {
  it('counts as stopped, though its exit arrives before its last message', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    onTestFinished(() => log.close())
    const shard = new ShardHandle({
      shard: 0,
      shards: 1,
      log,
      maxInFlight: 100,
      maxQuestions: 10,
      spinUs: 0,
      snapshot: undefined,
      waiting: { registry: new InstrumentRegistry(1), latency: new AcknowledgementLatency() },
      start: async ({ port }) => {
        for (let id = 0; id < 5000; id++) port.postMessage({ kind: 'answer', id, lsn: 0, answer: {} })
        port.postMessage({ kind: 'stopped' })
      },
    })
    onTestFinished(() => shard.close())
    await expect(shard.ended).resolves.toBeUndefined()
  })
})

describe('a question that fails in the shard', () => {
  it('is answered with that failure, and the shard continues, whether the answer or its message could not be made', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    onTestFinished(() => log.close())
    const inbound = createInboundMemory(1024)
    const writer = new InboundWriter(inbound)
    const words = new Int32Array(requestWords)
    const ask = (id: number, question: number) => {
      encodeRequest(words, requestKind.question, question, 0, id, 0, 0, 0)
      writer.write(words, 0, requestWords)
    }
    // The copy has no memory to go to; the second answer's message finds none; the third is a question like any other.
    ask(1, questionKind.copy)
    ask(2, questionKind.digest)
    ask(3, questionKind.digest)
    writer.stop()
    const said: { kind: string; id?: number }[] = []
    const postMessage = (message: { kind: string; id?: number }) => {
      if (message.kind === 'answer' && message.id === 2)
        throw new RangeError('Array buffer allocation failed')
      said.push(message)
    }
    runShardThread({
      shard: 0,
      shards: 1,
      log: log.memory,
      inbound,
      port: { postMessage } as unknown as ShardThreadData['port'],
      directory: log.dir,
      endLsn: 0,
      follows: false,
      fromLsn: 0,
      snapshot: undefined,
      spinUs: 0,
    })
    expect(said.map(({ kind, id }) => [kind, id])).toEqual([
      ['ready', undefined],
      ['unanswered', 1],
      ['unanswered', 2],
      ['answer', 3],
      ['stopped', undefined],
    ])
  })

  it('rejects its own promise with the cause, and no other', async () => {
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    onTestFinished(() => log.close())
    let data: ShardThreadData | undefined
    const shard = new ShardHandle({
      shard: 0,
      shards: 1,
      log,
      maxInFlight: 100,
      maxQuestions: 10,
      spinUs: 0,
      snapshot: undefined,
      waiting: { registry: new InstrumentRegistry(1), latency: new AcknowledgementLatency() },
      start: (started) => {
        data = started
        return new Promise(() => {})
      },
    })
    onTestFinished(() => shard.close())
    const answers = Promise.allSettled([
      shard.ask(questionKind.digest, 0, 0),
      shard.ask(questionKind.order, 0, 1),
    ])
    await new Promise((resolve) => setImmediate(resolve))
    const error = toErrorMessage(new RangeError('Array buffer allocation failed'))
    data!.port.postMessage({ kind: 'unanswered', id: 1, error })
    data!.port.postMessage({ kind: 'answer', id: 2, lsn: 0, answer: { question: 'order', order: undefined } })
    expect(await answers).toMatchObject([
      {
        status: 'rejected',
        reason: { code: 'TIDEMARK_QUESTION_FAILED', cause: { message: 'Array buffer allocation failed' } },
      },
      { status: 'fulfilled' },
    ])
  })
})
