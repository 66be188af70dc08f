import { describe, expect, it } from 'vitest'
import { LedgerFold } from '#tidemark/ledger/fold.js'
import { encodeRecord, type LedgerRecord } from '#tidemark/ledger/records.js'
import { LedgerState } from '#tidemark/ledger/state/ledger-state.js'
import { type Command, commandGrids, encodeCommand, instrumentFromCommand } from '#tidemark/matching/index.js'
import { InstrumentRegistry, ledgerRecordType } from '#tidemark/pool/index.js'
import { LedgerVenue } from '../../support/ledger-venue.js'

describe('the guard of a ledger', () => {
  it('takes no order until every change of what it is traded in is durable, also one back to what it was', () => {
    const market = { type: 'instrument', symbol: 'X', tickSize: '1', lotSize: '1' } as const
    const definition = instrumentFromCommand({ ...market, baseAsset: 'BTC', quoteAsset: 'USD' }, 0)
    const venue = new LedgerVenue(
      [definition],
      ['USD', 'EUR', 'BTC'].map((id) => ({ id, scale: 2 })),
    )
    venue.deposit(1, 'USD', 100_000n)
    venue.settle()
    const words = new Int32Array(512)
    const send = (command: Command) => {
      encodeCommand(words, 0, command as never, commandGrids(definition))
      venue.execute(words, 0)
    }
    const order = { type: 'new', symbol: 'X', account: 1, side: 'buy', orderType: 'limit' } as const
    const buy = { ...order, orderId: 1, price: 1, quantity: 1 }
    for (const quoteAsset of ['EUR', 'USD']) send({ type: 'instrument-change', symbol: 'X', quoteAsset })
    venue.settle(1)
    expect(() => send(buy)).toThrow(expect.objectContaining({ code: 'TIDEMARK_ASSETS_CHANGING' }))
    venue.settle()
    send(buy)
    venue.settle()
  })
})

describe('the fold of a ledger', () => {
  const observed = (fold: LedgerFold, record: object) => {
    const payload = encodeRecord(record as LedgerRecord)
    const words = new Int32Array(payload.buffer, 0, payload.byteLength >> 2)
    fold.observe(words, 0, words.length, 8, ledgerRecordType, 0, { payload, timestampUs: 0 })
  }
  const deposit = { op: 'deposit', key: 'a', account: 1, asset: 0, units: '1' }

  it('refuses records whose beginning is not there: all balances would be those that came after', () => {
    const fold = new LedgerFold(new LedgerState(new InstrumentRegistry(1)))
    expect(() => observed(fold, deposit)).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_LEDGER_DAMAGED' }),
    )
  })

  it('refuses records of a newer build, and what a newer build says in one that it knows', () => {
    const state = new LedgerState(new InstrumentRegistry(1))
    const fold = new LedgerFold(state)
    observed(fold, { op: 'open', assets: [{ id: 'USD', scale: 2 }], venue: 9 })
    observed(fold, deposit)
    const newer = [
      [{ ...deposit, op: 'interest', key: 'b' }, { op: 'interest' }],
      [{ ...deposit, op: 'toString', key: 'b' }, { op: 'toString' }],
      [
        { ...deposit, key: 'b', network: 'X' },
        { op: 'deposit', field: 'network' },
      ],
      [
        { op: 'limits', key: 'b', account: 1, exposure: '5' },
        { op: 'limits', field: 'exposure' },
      ],
    ] as const
    for (const [record, details] of newer)
      expect(() => observed(fold, record)).toThrow(
        expect.objectContaining({ code: 'TIDEMARK_LOG_FORMAT', details: { lsn: 8, ...details } }),
      )
    expect(state.cells.balance[state.cells.find(1, 0)]).toBe(1n)
    expect(state.keys.find('b')).toBeUndefined()
  })
})
