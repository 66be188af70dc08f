import { describe, expect, it } from 'vitest'
import {
  commandGrids,
  decodeEvents,
  encodeCommand,
  encodeInstrument,
  MatchingEngine,
  RecordBuffer,
  type SymbolCommand,
} from '#tidemark/matching/index.js'
import { restoredFrom } from './support/copies.js'

const definition = {
  instrumentId: 0,
  symbol: 'A',
  tickSize: '1',
  lotSize: '1',
  replacePriority: 'keep-on-reduce',
  selfTradePrevention: 'none',
} as const

/** An engine that knows where each record ends: the n-th command at LSN n * 8. */
class Log {
  engine = new MatchingEngine()
  readonly #words = new Int32Array(256)
  readonly #record = new RecordBuffer()
  #lsn = 0

  constructor() {
    encodeInstrument(this.#words, 0, 0, 0, definition)
    this.engine.apply(this.#words, 0, this.#record)
  }

  run(command: Partial<SymbolCommand> & { type: string }) {
    encodeCommand(this.#words, 0, { symbol: 'A', ...command } as SymbolCommand, commandGrids(definition))
    this.#record.reset()
    this.engine.apply(this.#words, 0, this.#record)
    this.#lsn += 8
    if (this.engine.hasRequestId(this.#words, 0)) this.engine.settleRequests(this.#lsn, this.#record.end)
    return decodeEvents(this.#record.i32, 0, this.#record.byteLength >> 2)
  }
}

const order = (
  orderId: number,
  account: number,
  requestId: number,
  side: 'buy' | 'sell' = 'buy',
  quantity = 5,
) => ({ type: 'new', orderId, account, side, orderType: 'limit', price: 100, quantity, requestId }) as const

describe('a request id', () => {
  it('that is repeated executes nothing and gives the first outcome, whatever the tag', () => {
    const log = new Log()
    log.run(order(1, 7, 1))
    const first = log.run(order(2, 8, 1, 'sell', 3))
    expect(first.map(({ event }) => event)).toEqual(['accepted', 'trade'])
    const digest = log.engine.digest(0)
    const repeated = {
      event: 'repeated',
      orderId: 2,
      account: 8,
      status: 'filled',
      code: undefined,
      filled: 3,
      remaining: 0,
      firstLsn: 16,
    }
    expect(log.run(order(2, 8, 1, 'sell', 3))).toEqual([repeated])
    expect(log.run({ ...order(2, 8, 1, 'sell', 3), tag: 99 })).toEqual([repeated])
    expect(log.engine.digest(0)).toBe(digest)
    expect(log.engine.order(0, 1)).toMatchObject({ quantity: 2 })
  })

  it('repeats refusals and amendments as well', () => {
    const log = new Log()
    log.run(order(1, 7, 1))
    const refused = { ...order(1, 7, 2), price: 90 }
    expect(log.run(refused)).toMatchObject([{ event: 'rejected', code: 'DUPLICATE_ORDER_ID' }])
    expect(log.run(refused)).toMatchObject([
      { event: 'repeated', status: 'rejected', code: 'DUPLICATE_ORDER_ID', firstLsn: 16 },
    ])
    const cancel = { type: 'cancel', orderId: 1, account: 7, requestId: 3 } as const
    expect(log.run(cancel)).toMatchObject([{ event: 'cancelled' }])
    expect(log.run(cancel)).toMatchObject([{ event: 'repeated', status: 'cancelled', remaining: 0 }])
  })

  it('is refused with another body, and below the last one', () => {
    const log = new Log()
    log.run(order(1, 7, 5))
    expect(log.run(order(2, 7, 5))).toMatchObject([
      { event: 'rejected', orderId: 2, code: 'REQUEST_ID_REUSED' },
    ])
    expect(log.run(order(3, 7, 4))).toMatchObject([
      { event: 'rejected', orderId: 3, code: 'REQUEST_ID_OUTDATED' },
    ])
    expect(log.run(order(3, 7, 6))).toMatchObject([{ event: 'accepted' }])
    expect(log.engine.lastRequestId(0, 7)).toBe(6)
    expect(log.engine.lastRequestId(0, 8)).toBeUndefined()
    expect(log.engine.lastRequestId(1, 7)).toBeUndefined()
  })

  it('counts for each account by itself, and survives in a saved book', () => {
    const log = new Log()
    log.run(order(1, 7, 1))
    log.run(order(2, 4_294_967_295, 1))
    const copy = restoredFrom(log.engine)
    expect(copy.digest(0)).toBe(log.engine.digest(0))
    log.engine = copy
    expect(log.run(order(1, 7, 1))).toMatchObject([
      { event: 'repeated', status: 'resting', remaining: 5, firstLsn: 8 },
    ])
    expect(log.run(order(2, 4_294_967_295, 1))).toMatchObject([{ event: 'repeated', firstLsn: 16 }])
  })

  it('waits for its LSN when only the records before its own are published', () => {
    const engine = new MatchingEngine()
    const words = new Int32Array(256)
    const record = new RecordBuffer()
    encodeInstrument(words, 0, 0, 0, definition)
    engine.apply(words, 0, record)
    record.reset()
    const apply = (command: ReturnType<typeof order>) => {
      encodeCommand(words, 0, { symbol: 'A', ...command } as SymbolCommand, commandGrids(definition))
      record.next(2)
      engine.apply(words, 0, record)
      return record.end
    }
    const firstLsn = (command: ReturnType<typeof order>) => {
      apply(command)
      return decodeEvents(record.i32, record.start, record.end)[0]
    }
    const [first, second] = [order(1, 7, 1), order(2, 8, 1)]
    const [firstEnd, secondEnd] = [apply(first), apply(second)]
    engine.settleRequests(1000, firstEnd)
    expect(engine.repeatsUnsettled(words, 0)).toBe(true)
    // A new id of the same account repeats nothing, so that an account's requests in a row can stand in one batch.
    encodeCommand(words, 0, { symbol: 'A', ...order(3, 8, 2) } as SymbolCommand, commandGrids(definition))
    expect(engine.repeatsUnsettled(words, 0)).toBe(false)
    encodeCommand(words, 0, { symbol: 'A', ...second } as SymbolCommand, commandGrids(definition))
    expect(engine.repeatsUnsettled(words, 0)).toBe(true)
    engine.settleRequests(5000, secondEnd)
    expect(engine.repeatsUnsettled(words, 0)).toBe(false)
    expect(firstLsn(first)).toMatchObject({ event: 'repeated', firstLsn: 1000 })
    expect(firstLsn(second)).toMatchObject({ event: 'repeated', firstLsn: 5000 })
  })
})
