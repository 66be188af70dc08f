import { describe, expect, it } from 'vitest'
import {
  decodeCommand,
  decodeEvents,
  encodeNew,
  encodeNoop,
  MatchingEngine,
  RecordBuffer,
} from '#tidemark/matching/index.js'
import { readRecord } from '../../support/command-format.js'
import { same } from './support/paired-books.js'
import { encodeInstruments, encodeRandomCommand, Random } from './support/random-commands.js'

const words = new Int32Array(256)

describe("the pool's records", () => {
  it('are what docs/command-format.md says, whatever the command and whatever came of it', () => {
    const seen = new Map<string, number>()
    const note = (name: unknown) => seen.set(String(name), (seen.get(String(name)) ?? 0) + 1)
    for (let seed = 1; seed <= 20; seed++) {
      const engine = new MatchingEngine({ hashSeed: seed })
      const record = new RecordBuffer()
      const random = new Random(seed)
      const apply = (at: number, lsn: number) => {
        record.reset()
        engine.apply(words, at, record)
        engine.settleRequests(lsn, record.end)
        const bytes = record.bytes()
        const { command, events } = readRecord(bytes)
        const end = bytes.byteLength / 4
        const decoded = { command: decodeCommand(record.i32, 0), events: decodeEvents(record.i32, 0, end) }
        if (!same({ command, events }, decoded))
          expect({ command, events }, `seed ${seed}, LSN ${lsn}`).toEqual(decoded)
        note(command['type'])
        for (const event of events) {
          const { event: name, reason, code, uncross } = event
          note(`${name} ${uncross ? 'uncross' : (reason ?? code ?? '')}`)
        }
      }
      for (const at of encodeInstruments(words)) apply(at, 8)
      encodeNoop(words, 0, 5, 0)
      apply(0, 8)
      for (let i = 0; i < 4000; i++) {
        // Every other one without a tag, and now and then one with a request id, which may be a repetition.
        if (random.chance(4)) encodeRequest(random)
        else encodeRandomCommand(words, random, i % 2 === 0 ? 0 : i)
        apply(0, 8 * (i + 2))
      }
    }
    const commands =
      'new cancel replace reduce cancel-all instrument phase bust expire noop instrument-change block unblock'.split(
        ' ',
      )
    const events = [
      ...[
        'accepted ',
        'trade ',
        'trade uncross',
        'triggered ',
        'repeated ',
        'instrument-created ',
        'phase-changed ',
        'trade-busted ',
        'volatility-interruption ',
        'instrument-changed ',
        'account-blocked ',
        'account-unblocked ',
      ],
      ...'requested cancel-all reduced ioc market fok post-only self-trade expired end-of-day level-total at-open at-close account-blocked band phase'
        .split(' ')
        .map((reason) => `cancelled ${reason}`),
      ...'requested reduced self-trade pegged'.split(' ').map((reason) => `replaced ${reason}`),
      ...`UNKNOWN_INSTRUMENT DUPLICATE_INSTRUMENT INSTRUMENT_HALTED UNKNOWN_ORDER DUPLICATE_ORDER_ID NOT_OWNER
        FOK_NOT_FILLABLE POST_ONLY_WOULD_TRADE LEVEL_TOTAL_TOO_LARGE PRICE_NOT_APPLICABLE REQUEST_ID_REUSED
        PRICE_TOO_LOW QUANTITY_TOO_LARGE NOTIONAL_TOO_SMALL ORDER_IDS_EXHAUSTED
        DUPLICATE_CLIENT_ORDER_ID NOT_IN_THIS_PHASE UNKNOWN_TRADE TRADE_ALREADY_BUSTED
        ACCOUNT_BLOCKED MIN_QUANTITY_NOT_FILLABLE PRICE_OFF_TICK PRICE_OUTSIDE_BAND TOO_MANY_ORDERS`
        .split(/\s+/)
        .map((code) => `rejected ${code}`),
    ]
    const missing = [...commands, ...events].filter((name) => !seen.has(name))
    expect(missing).toEqual([])
  })

  it('are as short as the page says', () => {
    const engine = new MatchingEngine()
    const record = new RecordBuffer()
    const apply = (at = 0) => {
      record.reset()
      engine.apply(words, at, record)
      return record.byteLength
    }
    for (const at of encodeInstruments(words)) apply(at)
    const order = (id: number, tag: number, sell: number, price: number, quantity: number) =>
      encodeNew(words, 0, 0, tag, 0, id, 7, sell, 0, 0, 0, 0, price, quantity, 0, 0, 0, 0)
    order(1, 0, 1, 100, 5)
    expect(apply()).toBe(40 + 8)
    order(2, 9, 1, 101, 5)
    expect(apply()).toBe(48 + 8)
    // All of the maker, and all of the taker; then a part of the maker.
    order(3, 0, 0, 100, 5)
    expect(apply()).toBe(40 + 8 + 40)
    order(4, 0, 0, 101, 2)
    expect(apply()).toBe(40 + 8 + 48)
  })
})

function encodeRequest(random: Random): void {
  const requestId = 1 + random.below(3)
  const id = 1 + random.below(48)
  encodeNew(words, 0, 0, 0, 0, id, 40, 0, 0, 0, 0, 0, 95, 1 + random.below(2), 0, 0, 0, requestId)
}
