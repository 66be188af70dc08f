import { onTestFinished } from 'vitest'
import { EnginePool, type EnginePoolOptions, type PoolEvent } from '#tidemark/pool/index.js'
import { temporaryDirectory } from './temporary.js'

export const bitcoin = { symbol: 'BTC-USD', tickSize: '0.01', lotSize: '0.00001' }
export const ether = { symbol: 'ETH-USD', tickSize: '0.05', lotSize: '0.001' }

/** Opens a pool that is closed when the test is over, in a fresh folder unless one is given. */
export async function openPool(options: EnginePoolOptions = {}): Promise<EnginePool> {
  const pool = await EnginePool.open({ dir: temporaryDirectory(), instruments: [bitcoin, ether], ...options })
  onTestFinished(() => pool.close())
  return pool
}

export function limit(
  orderId: number,
  side: 'buy' | 'sell',
  price: string,
  quantity: string,
  account = orderId,
) {
  return {
    type: 'new',
    symbol: 'BTC-USD',
    orderId,
    account,
    side,
    orderType: 'limit',
    price,
    quantity,
  } as const
}

export async function eventsOf(pool: EnginePool, from = 0): Promise<PoolEvent[]> {
  const events: PoolEvent[] = []
  for await (const event of pool.subscribe({ from, to: pool.durableLsn })) events.push(event)
  return events
}
