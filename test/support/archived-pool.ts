import type { EnginePool, PoolEvent } from '#tidemark/pool/index.js'
import { bitcoin, ether, openPool } from './pools.js'
import { Random } from './random.js'

/** Small enough that some thousand commands fill one. */
const segmentBytes = 256 * 1024

/** A pool with small segments. */
export function openSmallPool(options: Parameters<typeof openPool>[0] = {}): Promise<EnginePool> {
  return openPool({ segmentBytes, checkpointBytes: 0, ...options })
}

/** Sends orders of every kind, and what changes them; the same for a seed. Each event of a pool comes up. */
export async function trade(pool: EnginePool, seed: number, commands: number, firstOrder = 1): Promise<void> {
  const random = new Random(seed)
  const pending: Promise<unknown>[] = []
  for (let i = 0; i < commands; i++) {
    const orderId = firstOrder + i
    pending.push(pool.submit(command(random, orderId)))
    if (i % 100 === 50) {
      // A request that is sent twice.
      const cancel = {
        type: 'cancel',
        symbol: bitcoin.symbol,
        orderId,
        account: 77,
        requestId: orderId,
      } as const
      pending.push(pool.submit(cancel), pool.submit(cancel))
    }
    if (pending.length < 200) continue
    await Promise.all(pending.splice(0))
  }
  await Promise.all(pending)
}

function command(random: Random, orderId: number): Parameters<EnginePool['submit']>[0] {
  const isBitcoin = random.int(3) > 0
  const { symbol } = isBitcoin ? bitcoin : ether
  const earlier = Math.max(1, orderId - 1 - random.int(40))
  const price = isBitcoin ? (64_000 + random.int(30)) / 1 : 3_000 + random.int(30) * 0.05
  const priceText = isBitcoin ? price.toFixed(2) : price.toFixed(2)
  const quantity = isBitcoin ? `0.000${10 + random.int(89)}` : `0.${100 + random.int(899)}`
  const kind = random.int(20)
  if (orderId % 500 === 499)
    return { type: 'instrument-change', symbol, minPrice: '0.05', info: { orderId }, baseAsset: 'X' }
  if (kind < 3) return { type: 'cancel', symbol, orderId: earlier }
  if (kind < 4) return { type: 'replace', symbol, orderId: earlier, price: priceText, quantity }
  if (kind < 5) return { type: 'reduce', symbol, orderId: earlier, quantity: isBitcoin ? '0.00001' : '0.001' }
  const side = random.int(2) === 0 ? 'buy' : 'sell'
  const account = random.int(9) === 0 ? 4_000_000_000 : random.int(9)
  const order = { type: 'new', symbol, orderId, account, side, quantity } as const
  if (kind < 6) return { ...order, orderType: 'market' }
  if (kind < 7) {
    const trail = {
      trailingBasisPoints: 1 + random.int(20),
      ...(orderId % 4 === 0 && { activationPrice: priceText }),
    }
    if (orderId % 2 === 0) return { ...order, orderType: 'stop', ...trail }
    return { ...order, orderType: 'stop', stopPrice: priceText }
  }
  if (kind < 8)
    return {
      ...order,
      orderType: 'limit',
      price: priceText,
      timeInForce: 'IOC',
      tag: 2n ** 64n - BigInt(orderId),
    }
  if (kind < 9) return { ...order, orderType: 'limit', price: priceText, postOnly: true }
  if (kind < 10)
    return {
      ...order,
      orderType: 'limit',
      price: priceText,
      timeInForce: 'GTD',
      expireTime: 1_800_000_000_000,
    }
  if (kind < 11)
    return {
      ...order,
      orderType: 'limit',
      price: priceText,
      requestId: orderId,
      selfTradePrevention: 'decrement',
    }
  return { ...order, orderType: 'limit', price: priceText, tag: BigInt(orderId) }
}

/** Rows of one symbol come in the order of the log, those of several part by part: as texts in one order. */
export function inOrder(events: readonly PoolEvent[]): string[] {
  return [...events].sort((a, b) => a.lsn - b.lsn || a.index - b.index).map((event) => JSON.stringify(event))
}

export async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}
