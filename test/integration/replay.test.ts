import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import {
  encodeInstrument,
  encodeNew,
  GroupBuffer,
  MatchingEngine,
  rulesVersion,
} from '#tidemark/matching/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../support/temporary.js'

/** Logs an instrument and an order as a pool does; `tamper` may change the order's group first. */
async function writeLog(dir: string, tamper: (group: Int32Array) => void): Promise<number> {
  const engine = new MatchingEngine()
  const words = new Int32Array(256)
  const group = new GroupBuffer()
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
  engine.apply(words, 0, group)
  log.append(group.bytes())
  group.reset()
  encodeNew(words, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 100, 5, 0, 0, 0, 0)
  engine.apply(words, 0, group)
  tamper(group.i32)
  const lsn = log.append(group.bytes())
  await log.waitDurable(lsn)
  await log.close()
  return lsn
}

describe('opening a pool', () => {
  it('takes a log whose every outcome is what its commands give', async () => {
    const dir = temporaryDirectory()
    await writeLog(dir, () => {})
    const pool = await EnginePool.open({ dir })
    expect((await pool.digest()).restingOrders).toBe(0)
    await pool.close()
  })

  it('refuses a log that holds another outcome than its commands give, and names LSN and field', async () => {
    const dir = temporaryDirectory()
    // The cancelled quantity of the IOC order: the command's 12 words, `accepted`, then the event's seventh word.
    const lsn = await writeLog(dir, (group) => {
      group[12 + 2 + 6] = 4
    })
    await expect(EnginePool.open({ dir })).rejects.toMatchObject({
      code: 'TIDEMARK_REPLAY_DIFFERS',
      details: { lsn, event: 1, field: 'remaining' },
    })
    // A folder whose opening failed is not left locked.
    await expect(EnginePool.open({ dir })).rejects.toMatchObject({ code: 'TIDEMARK_REPLAY_DIFFERS' })
  })
})
