import { loadPackages, type ServerModules } from '../packages.js'
import { TraderConnection, type TraderKey } from './connection.js'
import { demoMarkets } from './instruments.js'

/** What the traders of the demo are made with. */
export interface TradersOptions {
  /** The server's address. */
  readonly url: string
  /** A key for each trader. */
  readonly keys: readonly TraderKey[]
  /** The server's packages, where they were loaded already. */
  readonly modules?: ServerModules | undefined
}

type Market = (typeof demoMarkets)[number]

/** Levels that a maker quotes on each side. */
const levels = 5

/** How long a trader waits between two acts, milliseconds. */
const pauses = { maker: [400, 1200], taker: [300, 2500], noise: [200, 1500] } as const

/**
 * Traders that trade with each other through the public API: makers quote around the middle, takers take, and others place and cancel at
 * random. No other market has their prices: what you trade moves them.
 */
export class DemoTraders {
  readonly #connections: TraderConnection[] = []
  readonly #running: Promise<void>[] = []
  /** Traders that pause, with what ends their pauses. */
  readonly #pauses = new Map<NodeJS.Timeout, () => void>()
  /** Where each market is drawn to when its book is empty; it wanders. */
  readonly #anchors: Map<string, number> = new Map(demoMarkets.map(({ symbol, price }) => [symbol, price]))
  #isStopped = false

  /** Resolves when all traders are connected. @throws what keeps one from it. */
  static async start({ url, keys, modules }: TradersOptions): Promise<DemoTraders> {
    const packages = loadPackages(modules)
    const traders = new DemoTraders()
    try {
      for (const [i, key] of keys.entries()) {
        const connection = await TraderConnection.open(packages, url, key)
        traders.#connections.push(connection)
        traders.#running.push(traders.#run(i, connection))
      }
    } catch (error) {
      await traders.stop()
      throw error
    }
    return traders
  }

  /** Ends them all, between two of their acts. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const [timer, resume] of this.#pauses) {
      clearTimeout(timer)
      resume()
    }
    await Promise.all(this.#running)
    for (const connection of this.#connections) connection.close()
  }

  async #run(number: number, connection: TraderConnection): Promise<void> {
    // Every market has a maker before one takes.
    const kind = number % 5 < 2 || number < demoMarkets.length ? 'maker' : number % 5 < 4 ? 'taker' : 'noise'
    const [least, most] = pauses[kind]
    while (!this.#isStopped && !connection.isClosed) {
      const market = kind === 'maker' ? demoMarkets[number % demoMarkets.length]! : pick(demoMarkets)
      try {
        if (kind === 'maker') await this.#quote(connection, market)
        else if (kind === 'taker') await take(connection, market)
        else await this.#place(connection, market)
      } catch {
        // Refused, or the server is going away: the next try says which.
      }
      await this.#pause(between(least, most))
    }
  }

  /** Replaces all quotes by new ones around the middle. */
  async #quote(connection: TraderConnection, market: Market): Promise<void> {
    const { symbol } = market
    const middle = await this.#middle(connection, market)
    await connection.request('openOrders.cancelAll', { symbol }).catch(() => {})
    const spread = middle * between(0.0001, 0.0004)
    const orders: Promise<unknown>[] = []
    for (let level = 0; level < levels; level++) {
      const distance = spread * (0.5 + level * between(0.7, 1.3))
      for (const [side, price] of [
        ['BUY', middle - distance],
        ['SELL', middle + distance],
      ] as const)
        orders.push(
          order(
            connection,
            market,
            side,
            'LIMIT_MAKER',
            price,
            market.size * between(0.5, 2) * (1 + level / 2),
          ),
        )
    }
    await Promise.allSettled(orders)
  }

  /** An order somewhere near, and one of the own cancelled. */
  async #place(connection: TraderConnection, market: Market): Promise<void> {
    const middle = await this.#middle(connection, market)
    const side = Math.random() < 0.5 ? 'BUY' : 'SELL'
    const away = middle * between(-0.0002, 0.003) * (side === 'BUY' ? -1 : 1)
    const open = (await connection.request('openOrders.status', { symbol: market.symbol })) as {
      orderId: number
    }[]
    if (open.length > 10) {
      const { orderId } = pick(open)
      await connection.request('order.cancel', { symbol: market.symbol, orderId })
    }
    await order(connection, market, side, 'LIMIT', middle + away, market.size * between(0.2, 1.5))
  }

  /** Between the best prices, drawn a little to where the market's anchor has wandered. */
  async #middle(connection: TraderConnection, { symbol }: Market): Promise<number> {
    const anchor = this.#anchors.get(symbol)! * (1 + between(-0.0003, 0.0003))
    this.#anchors.set(symbol, anchor)
    const { bidPrice, askPrice } = (await connection.request('ticker.book', { symbol })) as Record<
      string,
      string
    >
    const bid = Number(bidPrice)
    const ask = Number(askPrice)
    return bid > 0 && ask > 0 ? ((bid + ask) / 2) * 0.95 + anchor * 0.05 : anchor
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#pauses.delete(timer)
        resolve()
      }, ms)
      this.#pauses.set(timer, resolve)
    })
  }
}

async function take(connection: TraderConnection, market: Market): Promise<void> {
  const quantity = (market.size * between(0.05, 1.5)).toFixed(market.sizeDecimals)
  const side = Math.random() < 0.5 ? 'BUY' : 'SELL'
  await connection.request('order.place', { symbol: market.symbol, side, type: 'MARKET', quantity })
}

function order(
  connection: TraderConnection,
  { symbol, priceDecimals, sizeDecimals }: Market,
  side: 'BUY' | 'SELL',
  type: 'LIMIT' | 'LIMIT_MAKER',
  price: number,
  size: number,
): Promise<unknown> {
  return connection.request('order.place', {
    symbol,
    side,
    type,
    price: price.toFixed(priceDecimals),
    quantity: size.toFixed(sizeDecimals),
    ...(type === 'LIMIT' && { timeInForce: 'GTC' }),
  })
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least)
}

function pick<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)]!
}
