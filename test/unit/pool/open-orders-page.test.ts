import { describe, expect, it } from 'vitest'
import { packedOrderNumbers } from '#tidemark/matching/index.js'
import { InstrumentRegistry } from '#tidemark/pool/instruments.js'
import { toOpenOrders } from '#tidemark/pool/intake/answers.js'

const registry = new InstrumentRegistry(2)
for (const [instrumentId, symbol] of ['A', 'B', 'C', 'D'].entries()) {
  registry.add({
    instrumentId,
    symbol,
    tickSize: '1',
    lotSize: '1',
    replacePriority: 'keep-on-reduce',
    selfTradePrevention: 'none',
  })
}

type Place = readonly [instrumentId: number, orderId: number]

/** A shard's part of a page, with orders at these places and all that there is up to the last argument. */
function part(lsn: number, places: Place[], coveredTo?: Place) {
  const orders = new Float64Array(places.length * packedOrderNumbers)
  for (const [i, [instrumentId, orderId]] of places.entries()) {
    orders.set([instrumentId, orderId, 7, 0, 5, 1, 0, 1], i * packedOrderNumbers)
  }
  const end = coveredTo && { instrumentId: coveredTo[0], orderId: coveredTo[1] }
  return {
    lsn,
    answer: { question: 'openOrders', orders, clientOrderIds: new Map(), coveredTo: end },
  } as const
}

function pageOf(limit: number, ...parts: ReturnType<typeof part>[]) {
  const { lsn, orders, next } = toOpenOrders(parts, limit, registry)
  return [lsn, orders.map(({ symbol, orderId }) => `${symbol}${orderId}`).join(' '), next]
}

describe('a page of open orders of several shards', () => {
  it('is sorted by instrument and id, and as of the highest LSN', () => {
    expect(
      pageOf(
        9,
        part(16, [
          [0, 2],
          [2, 1],
        ]),
        part(8, [
          [1, 5],
          [3, 2],
        ]),
      ),
    ).toEqual([16, 'A2 B5 C1 D2', undefined])
    expect(pageOf(9, part(16, []), part(24, []))).toEqual([24, '', undefined])
  })

  it('ends at its limit, and where the first shard has not looked further', () => {
    const [first, second] = [
      part(
        8,
        [
          [0, 2],
          [2, 1],
        ],
        [2, 1],
      ),
      part(8, [[1, 5]], [1, 9]),
    ]
    expect(pageOf(9, first, second)).toEqual([8, 'A2 B5', { symbol: 'B', orderId: 9 }])
    expect(pageOf(9, second, first)).toEqual([8, 'A2 B5', { symbol: 'B', orderId: 9 }])
    expect(pageOf(2, first, second)).toEqual([8, 'A2 B5', { symbol: 'B', orderId: 9 }])
    expect(pageOf(1, first, second)).toEqual([8, 'A2', { symbol: 'A', orderId: 2 }])
    expect(
      pageOf(
        2,
        part(8, [
          [0, 2],
          [2, 1],
        ]),
        part(8, [[1, 5]]),
      ),
    ).toEqual([8, 'A2 B5', { symbol: 'B', orderId: 5 }])
    expect(pageOf(9, first, part(8, [], [0, 1]))).toEqual([8, '', { symbol: 'A', orderId: 1 }])
  })
})
