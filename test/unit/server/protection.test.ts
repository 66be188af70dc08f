import { expect, it } from 'vitest'
import { Params } from '#tidemark/server/dialect/params.js'
import type { ApiRequest } from '#tidemark/server/operations/operation.js'
import { tradingOperations } from '#tidemark/server/operations/trading.js'

const symbol = { symbol: 'BTCUSDT', tickSize: '0.01', lotSize: '0.001' }

/** A venue that has acknowledged an offer at 100, and shows it when it has caught up. */
function laggingVenue(isShown: boolean) {
  const asks = isShown ? [{ price: '100.00', quantity: '1.000' }] : []
  const calls: unknown[] = []
  return {
    calls,
    ledger: {},
    symbol: () => symbol,
    market: { depth: () => ({ asks, bids: [] }), lastTrade: () => undefined },
    caughtUp: async () => {
      calls.push('caughtUp')
      asks.push({ price: '100.00', quantity: '1.000' })
    },
    place: async (command: object) => {
      calls.push(command)
      throw new Error('This is as far as it goes.')
    },
  }
}

function buy(venue: object): Promise<unknown> {
  const values = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '1' }
  const params = new Params(new Map(Object.entries(values)))
  const place = tradingOperations.find(({ method }) => method === 'order.place')!
  return Promise.resolve(place.run({ params, venue, account: 1 } as unknown as ApiRequest))
}

it('buys at the market by an offer that was acknowledged and is not shown yet', async () => {
  const venue = laggingVenue(false)
  await expect(buy(venue)).rejects.toThrow()
  expect(venue.calls).toEqual(['caughtUp', expect.objectContaining({ price: '105.00', timeInForce: 'IOC' })])
})

it('hands a market order over at once where an offer is known: nothing overtakes it', () => {
  const venue = laggingVenue(true)
  buy(venue).catch(() => {})
  expect(venue.calls).toEqual([expect.objectContaining({ price: '105.00' })])
})
