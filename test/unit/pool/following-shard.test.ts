import { expect, it, onTestFinished } from 'vitest'
import { FollowedLsn } from '#tidemark/log/ring/followed-lsn.js'
import { createLogMemory, startLogMemory } from '#tidemark/log/ring/memory.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { createInboundMemory, InboundWriter } from '#tidemark/pool/shard/inbound-ring.js'
import { encodeRequest, questionKind, requestKind, requestWords } from '#tidemark/pool/shard/requests.js'
import { runShardThread, type ShardMessage, type ShardThreadData } from '#tidemark/pool/shard/shard-thread.js'
import { bitcoin, limit } from '../../support/pools.js'
import { temporaryDirectory } from '../../support/temporary.js'

it('a shard that follows replays what is on disk before it leads, and answers from there', async () => {
  const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments: [bitcoin] })
  onTestFinished(() => pool.close())
  for (let i = 1; i <= 20; i++) await pool.submit(limit(i, 'buy', '100.00', '1'))
  const { durableLsn } = pool
  const memory = createLogMemory(64 * 1024, 4096)
  startLogMemory(memory, 0, 0)
  new FollowedLsn(memory).move(durableLsn)
  const inbound = createInboundMemory(1024)
  const writer = new InboundWriter(inbound)
  const words = new Int32Array(requestWords)
  const send = (...request: [kind: number, flags: number, id: number, first: number]) => {
    const [kind, flags, id, first] = request
    encodeRequest(words, kind, flags, 0, id, 0, first, 0)
    writer.write(words, 0, requestWords)
  }
  // Both are in the ring before the shard has looked at the log.
  send(requestKind.lead, 0, 0, 0)
  send(requestKind.question, questionKind.order, 7, 20)
  writer.stop()
  const said: ShardMessage[] = []
  runShardThread({
    shard: 0,
    shards: 1,
    log: memory,
    inbound,
    port: {
      postMessage: (message: ShardMessage) => said.push(message),
    } as unknown as ShardThreadData['port'],
    directory: pool.dir,
    fromLsn: 0,
    endLsn: 0,
    follows: true,
    snapshot: undefined,
    spinUs: 0,
  })
  expect(said.map(({ kind }) => kind)).toEqual(['ready', 'leads', 'answer', 'stopped'])
  expect(said[1]).toMatchObject({ instruments: [{ symbol: 'BTC-USD' }] })
  expect(said[2]).toMatchObject({ id: 7, lsn: durableLsn, answer: { order: { orderId: 20 } } })
})
