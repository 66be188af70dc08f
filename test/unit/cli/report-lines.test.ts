import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { BenchmarkMessages, BenchmarkReports } from '#tidemark/cli/run/benchmark-reports.js'
import { reportLine } from '#tidemark/cli/run/report-lines.js'
import type { PoolEvent } from '#tidemark/pool/index.js'

const place = { lsn: 160, index: 0, timeUs: 5, symbol: 'A', tag: 2n ** 40n }
const command = 2 ** 40
const order = {
  orderId: 5,
  clientOrderId: undefined,
  account: 2,
  side: 'buy',
  price: '1.50',
  filled: '0',
} as const
const accepted = {
  ...place,
  event: 'accepted',
  orderId: 5,
  clientOrderId: undefined,
  account: 2,
  side: 'buy',
  orderType: 'limit',
  timeInForce: 'GTC',
  price: '1.50',
  quantity: '3',
  stopPrice: undefined,
  displayQuantity: undefined,
  postOnly: false,
  expireTime: undefined,
  selfTradePrevention: undefined,
} as const
const trade = {
  ...place,
  event: 'trade',
  tradeId: 1,
  makerOrderId: 3,
  takerOrderId: 5,
  price: '1.50',
  quantity: '2',
  takerSide: 'buy',
  makerAccount: 1,
  takerAccount: 2,
  uncross: false,
  makerRemaining: '0',
  takerRemaining: '1',
} as const

describe('a report line', () => {
  const lineOf = (event: PoolEvent) => reportLine(event)

  it('has exactly the documented fields of each event, in their order', () => {
    const head = `{"lsn":160,"command":${command},"symbol":"A",`
    expect(lineOf(accepted)).toBe(
      `${head}"event":"accepted","orderId":5,"side":"buy","price":"1.50","quantity":"3"}`,
    )
    expect(lineOf(trade)).toBe(
      `${head}"event":"trade","makerOrderId":3,"takerOrderId":5,"price":"1.50","quantity":"2","takerSide":"buy"}`,
    )
    expect(lineOf({ ...place, ...order, event: 'cancelled', remaining: '3', reason: 'requested' })).toBe(
      `${head}"event":"cancelled","orderId":5,"side":"buy","price":"1.50","remaining":"3","reason":"requested"}`,
    )
    expect(lineOf({ ...place, ...order, event: 'replaced', quantity: '3', reason: 'requested' })).toBe(
      `${head}"event":"replaced","orderId":5,"side":"buy","price":"1.50","quantity":"3"}`,
    )
    expect(lineOf({ ...place, ...order, event: 'rejected', code: 'UNKNOWN_ORDER' })).toBe(
      `${head}"event":"rejected","orderId":5,"code":"UNKNOWN_ORDER"}`,
    )
    expect(lineOf({ ...place, ...order, event: 'triggered', remaining: '3' })).toBe(
      `${head}"event":"triggered","orderId":5}`,
    )
  })

  it('leaves the price out where there is none, and there is none of an instrument', () => {
    expect(lineOf({ ...accepted, price: undefined })).not.toContain('price')
    expect(lineOf({ ...place, event: 'instrument-created' })).toBeUndefined()
  })
})

describe("the benchmark's report lines", () => {
  it('are sorted by type within a message, keep the order of trades, and hash as one text', () => {
    const messages = new BenchmarkMessages()
    messages.add(10, 2)
    messages.add(11, 2)
    messages.add(12, 1)
    const written: string[] = []
    const reports = new BenchmarkReports(messages, { write: (text) => written.push(text), close: () => {} })
    const at = { lsn: 8, index: 0, timeUs: 0, symbol: 'BENCHMARK' }
    const unknown = {
      clientOrderId: undefined,
      account: undefined,
      side: undefined,
      price: undefined,
      filled: undefined,
    }
    reports.event({ ...at, tag: 0n, event: 'instrument-created' })
    reports.event({
      ...at,
      ...order,
      price: '15',
      tag: 0n,
      event: 'replaced',
      quantity: '3',
      reason: 'requested',
    })
    reports.event({ ...trade, tag: 0n, price: '15' })
    reports.event({ ...trade, tag: 0n, price: '16', makerOrderId: 2 })
    reports.event({ ...at, ...unknown, tag: 1n, event: 'rejected', orderId: 8, code: 'UNKNOWN_ORDER' })
    reports.event({ ...at, ...unknown, tag: 2n, event: 'rejected', orderId: 9, code: 'UNKNOWN_ORDER' })
    reports.end()
    const text = ['1,10,15,2,3,5', '1,10,16,2,2,5', '3,10,0,5,15,3', '5,11,8', '4,12,9'].join('\n')
    expect(written.join('')).toBe(text)
    expect(reports.sha256).toBe(createHash('sha256').update(text).digest('hex'))
  })
})
