import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import {
  encodeInstrument,
  encodeNew,
  MatchingEngine,
  RecordBuffer,
  rulesVersion,
} from '#tidemark/matching/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../support/temporary.js'

/**
 * Logs as a pool does: an instrument, an order that sells 5, and one that buys 7 at once and is cancelled for what is left.
 * `tamper` may change the last record first.
 */
async function writeLog(dir: string, tamper: (record: Int32Array) => void): Promise<number> {
  const engine = new MatchingEngine()
  const words = new Int32Array(256)
  const record = new RecordBuffer()
  const log = await DurableLog.open({ dir, kind: 'pool', contentVersion: rulesVersion })
  const definition = {
    instrumentId: 0,
    symbol: 'A',
    tickSize: '1',
    lotSize: '1',
    replacePriority: 'keep-on-reduce',
    selfTradePrevention: 'none',
  } as const
  encodeInstrument(words, 0, 0, 0, definition)
  engine.apply(words, 0, record)
  log.append(record.bytes())
  record.reset()
  encodeNew(words, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 100, 5, 0, 0, 0, 0)
  engine.apply(words, 0, record)
  log.append(record.bytes())
  record.reset()
  encodeNew(words, 0, 0, 0, 0, 2, 9, 0, 0, 1, 0, 0, 100, 7, 0, 0, 0, 0)
  engine.apply(words, 0, record)
  tamper(record.i32)
  const lsn = log.append(record.bytes())
  await log.waitDurable(lsn)
  await log.close()
  return lsn
}

/** Words of the last record: a new order's, then where its events begin. */
const accepted = 10
const trade = accepted + 2
const cancelled = trade + 12

describe('opening a pool', () => {
  it('takes a log whose every outcome is what its commands give', async () => {
    const dir = temporaryDirectory()
    await writeLog(dir, () => {})
    const pool = await EnginePool.open({ dir })
    expect((await pool.digest()).restingOrders).toBe(0)
    await pool.close()
  })

  it.each([
    ['account', 0, accepted + 1],
    ['makerAccount', 1, trade + 1],
    ['tradeId', 1, trade + 2],
    ['makerOrderId', 1, trade + 4],
    ['price', 1, trade + 6],
    ['quantity', 1, trade + 8],
    ['takerRemaining', 1, trade + 10],
    ['account', 2, cancelled + 1],
    ['remaining', 2, cancelled + 2],
    ['filled', 2, cancelled + 4],
  ] as const)(
    'refuses a log that holds another %s of event %d, and names LSN and field',
    async (field, event, word) => {
      const dir = temporaryDirectory()
      const lsn = await writeLog(dir, (record) => {
        record[word]! += 1
      })
      await expect(EnginePool.open({ dir })).rejects.toMatchObject({
        code: 'TIDEMARK_REPLAY_DIFFERS',
        details: { lsn, event, field },
      })
      // A folder whose opening failed is not left locked.
      await expect(EnginePool.open({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_REPLAY_DIFFERS' })
    },
  )

  it('refuses a log in which an order that named no id has another one than the next', async () => {
    const dir = temporaryDirectory()
    // Flag 256 of a new order: the id that stands there was given by the book, and is the next one.
    await writeLog(dir, (record) => {
      record[0]! |= 256 << 8
    })
    await (await EnginePool.open({ dir })).close()
    const other = temporaryDirectory()
    const lsn = await writeLog(other, (record) => {
      record[0]! |= 256 << 8
      record[2]! += 1
    })
    await expect(EnginePool.open({ dir: other })).rejects.toMatchObject({
      code: 'TIDEMARK_REPLAY_DIFFERS',
      details: { lsn, field: 'orderId', logged: 3, replayed: 2 },
    })
  })

  it.each([
    ['side', 1, 1],
    ['reason', 2, 1 << 5],
  ] as const)('refuses a log that holds another %s in the flags of an event', async (_, event, flag) => {
    const dir = temporaryDirectory()
    const lsn = await writeLog(dir, (record) => {
      record[event === 1 ? trade : cancelled]! ^= flag << 8
    })
    await expect(EnginePool.open({ dir })).rejects.toMatchObject({
      code: 'TIDEMARK_REPLAY_DIFFERS',
      details: { lsn, event },
    })
  })
})
