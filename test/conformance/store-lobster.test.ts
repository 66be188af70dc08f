import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { Store } from '#tidemark/store/index.js'
import { dataFolder, hasData, summaryOf } from '../support/cli.js'
import { storeTargets } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const goog = path.join(dataFolder, 'lobster', 'GOOG_2012-06-21_34200000_57600000')
const missing = !hasData('lobster')
const execution = 4

describe.skipIf(missing)(
  `a day of NASDAQ${missing ? ` (skipped: no ${dataFolder}/lobster)` : ''}`,
  async () => {
    const targets = missing ? [] : await storeTargets()

    it.each(targets)(
      'in $name has the trades of the executions that the run reports',
      async ({ driver, fresh }) => {
        const base = temporaryDirectory()
        const dir = path.join(base, 'log')
        const files = [`${goog}_message_1.csv`, '--orderbook', `${goog}_orderbook_1.csv`]
        const { summary } = await summaryOf([...files, '--dir', dir])
        const store = await Store.open({ dir, to: await fresh(base), driver, follow: false })
        await store.ended
        const messages = readFileSync(files[0]!, 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split(',').map(Number))
        // The tag of a command is the row that it was made of; an order's first trade follows its acceptance.
        const { rows } = await store.query(
          `SELECT e.tag, t.maker_order_id, t.price, t.taker_side FROM trades t
JOIN order_events e ON e.lsn = t.lsn AND e.event = 'accepted' WHERE t.event_index = 1`,
        )
        const hits = rows.filter((trade) => {
          const [, type, orderId, , price, direction] = messages[Number(trade['tag'])]!
          if (type !== execution || orderId !== trade['maker_order_id']) return false
          expect(Number(trade['price'])).toBeCloseTo(price! / 10_000, 9)
          expect(trade['taker_side']).toBe(direction === 1 ? 'sell' : 'buy')
          return true
        })
        expect(hits).toHaveLength(summary.lobster.executions.hitNamedOrder)
        expect(hits).toHaveLength(4931)
        const [total] = (await store.query('SELECT COUNT(*) AS trades FROM trades')).rows
        expect(total).toEqual({ trades: summary.trades })
        await store.close()
      },
    )
  },
)
