import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { InputFile } from '#tidemark/cli/inputs/input-file.js'
import { parseMessageRow, parseQuote } from '#tidemark/cli/lobster/lobster-rows.js'
import { LobsterSource, lobsterSymbol, takerIdBase } from '#tidemark/cli/lobster/lobster-source.js'
import { VisibleBook } from '#tidemark/cli/lobster/visible-book.js'
import { LobsterFigures } from '#tidemark/cli/run/lobster-figures.js'
import { RecordedBatch, recordedTarget } from './recorded-batch.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-lobster-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function sourceOf(messages: string[], quotes?: string[]) {
  const messageFile = path.join(folder, 'ABC_message_1.csv')
  const quoteFile = path.join(folder, 'ABC_orderbook_1.csv')
  writeFileSync(messageFile, messages.join('\n'))
  if (quotes) writeFileSync(quoteFile, quotes.join('\n'))
  const source = new LobsterSource(
    await InputFile.open(messageFile),
    quotes && (await InputFile.open(quoteFile)),
  )
  source.begin(recordedTarget(['ABC']))
  return source
}

const noQuote = '9999999999,0,-9999999999,0'

describe('rows', () => {
  it('of messages are six columns, of a type that there is', () => {
    expect(parseMessageRow('34200.004241176,1,16113575,18,5853300,-1')).toEqual({
      type: 1,
      orderId: 16113575,
      size: 18,
      price: 5853300,
      sell: 1,
    })
    for (const line of ['', 'a,b', '34200.0,8,1,1,1,1', '34200.0,1,1,1,1,0', '34200.0,1,1,1,1']) {
      expect(parseMessageRow(line)).toBeUndefined()
    }
  })

  it('of quotes have their first level read, and no price where a side is empty', () => {
    expect(parseQuote('5859400,200,5853300,18,5859800,200')).toEqual({
      ask: { price: 5859400, size: 200 },
      bid: { price: 5853300, size: 18 },
    })
    expect(parseQuote(noQuote)).toEqual({ ask: { price: 0, size: 0 }, bid: { price: 0, size: 0 } })
    expect(parseQuote('1,2,3')).toBeUndefined()
  })

  it('belong to the symbol that the file is named after', () => {
    expect(lobsterSymbol('/x/GOOG_2012-06-21_message_1.csv')).toBe('GOOG')
    expect(lobsterSymbol('flow.csv')).toBe('LOBSTER')
  })
})

describe('a message file as commands', () => {
  it('submits, reduces, deletes, takes from the other side, halts and resumes; the rest is counted only', async () => {
    const source = await sourceOf([
      '1.0,1,10,5,100,1',
      '1.1,2,10,2,100,1',
      '1.2,4,10,1,100,1',
      '1.3,5,0,9,100,1',
      '1.4,3,10,2,100,1',
      '1.5,7,0,0,-1,-1',
      '1.6,7,0,0,1,-1',
      'nonsense',
    ])
    const batch = new RecordedBatch()
    expect(await source.fill(batch.asBatch, 100)).toBe(false)
    expect(batch.calls).toEqual([
      ['new', 0, 10, 1, 0, 0, 0, 100, 5, 0],
      ['reduce', 0, 10, 2, 1, 1],
      ['new', 0, takerIdBase + 2, 2, 1, 0, 1, 100, 1, 2],
      ['cancel', 0, 10, 4, 1],
      ['add', { type: 'phase', symbol: 'ABC', phase: 'halted', tag: 5 }],
      ['add', { type: 'phase', symbol: 'ABC', phase: 'continuous', tag: 6 }],
    ])
    expect(source.refusals.kept.map(({ line, code }) => [line, code])).toEqual([[8, 'TIDEMARK_BAD_ROW']])
  })

  it('cancels orders better than the best shown, on either side, and never places what is shown', async () => {
    const source = await sourceOf(
      ['1.0,1,10,5,100,1', '1.1,1,11,5,90,1', '1.2,1,12,5,120,-1'],
      ['9999999999,0,100,5', '9999999999,0,95,700', '130,1,95,700'],
    )
    const batch = new RecordedBatch()
    await source.fill(batch.asBatch, 100)
    expect(batch.calls.map(([kind, , orderId]) => [kind, orderId])).toEqual([
      ['new', 10],
      ['new', 11],
      ['cancel', 10],
      ['new', 12],
      ['cancel', 12],
    ])
    expect(source.cancelledBetter).toBe(2)
  })

  it('ends with a sentence when the order book file is shorter', async () => {
    const source = await sourceOf(['1.0,1,10,5,100,1', '1.1,3,10,5,100,1'], ['9999999999,0,100,5'])
    await expect(source.fill(new RecordedBatch().asBatch, 100)).rejects.toMatchObject({
      exitCode: 3,
      message: /fewer rows .* before line 2/,
    })
  })
})

const plainLimit = {
  clientOrderId: undefined,
  account: 1,
  orderType: 'limit',
  timeInForce: 'GTC',
  stopPrice: undefined,
  displayQuantity: undefined,
  postOnly: false,
  expireTime: undefined,
  selfTradePrevention: undefined,
} as const

describe('the figures', () => {
  const at = { lsn: 8, index: 0, timeUs: 0, symbol: 'ABC' }
  const accepted = (tag: bigint, orderId: number, side: 'buy' | 'sell', price: string, quantity: string) =>
    ({ ...at, ...plainLimit, tag, event: 'accepted', orderId, side, price, quantity }) as const
  const trade = (tag: bigint, makerOrderId: number, quantity: string) =>
    ({
      ...at,
      tag,
      event: 'trade',
      tradeId: 1,
      makerOrderId,
      takerOrderId: takerIdBase + Number(tag),
      price: '0.0100',
      quantity,
      takerSide: 'sell',
      makerAccount: 1,
      takerAccount: 2,
      uncross: false,
      makerRemaining: '0',
      takerRemaining: '0',
    }) as const

  it('count a hit only when the first order met is the one named, and say why another was met', async () => {
    const source = await sourceOf([
      '1.0,1,10,5,100,1',
      '1.1,1,11,5,100,1',
      '1.2,4,11,5,100,1',
      '1.3,4,10,5,100,1',
      '1.4,4,77,1,100,1',
      '1.5,4,5,1,100,1',
    ])
    await source.fill(new RecordedBatch().asBatch, 100)
    const figures = new LobsterFigures(source)
    figures.event(accepted(0n, 10, 'buy', '0.0100', '5'))
    figures.event(accepted(1n, 11, 'buy', '0.0100', '5'))
    figures.event(accepted(2n, takerIdBase + 2, 'sell', '0.0100', '5'))
    figures.event(trade(2n, 10, '5'))
    figures.event(accepted(3n, takerIdBase + 3, 'sell', '0.0100', '5'))
    figures.event(trade(3n, 11, '5'))
    figures.end()
    const { executions, quotes } = figures.summary()
    expect(executions).toEqual({
      all: 4,
      known: 1,
      hitNamedOrder: 0,
      otherOrderHit: [
        { kind: 'an earlier order at the price was hit', reason: 'deletion-not-in-file', count: 1 },
      ],
      unknown: { fromBeforeTheFile: 1, enteredAwayFromTheTouch: 1, submittedButNotOpen: 1 },
    })
    expect(quotes).toBeUndefined()
  })

  it('compare after each row, and name the limit of the data by what the file itself says is open', async () => {
    const source = await sourceOf(
      ['1.0,1,10,5,100,1', '1.1,1,11,5,100,1', '1.2,5,0,1,100,1'],
      ['9999999999,0,100,5', '9999999999,0,100,7', '120,1,100,40'],
    )
    await source.fill(new RecordedBatch().asBatch, 100)
    const figures = new LobsterFigures(source)
    figures.event(accepted(0n, 10, 'buy', '0.0100', '5'))
    figures.event(accepted(1n, 11, 'buy', '0.0100', '5'))
    figures.end()
    expect(figures.summary().quotes).toEqual({
      rows: 3,
      pricesAgree: 2,
      pricesAndSizesAgree: 1,
      pricesAgreeUnaided: 2,
      cancelledBetter: 0,
      disagreements: [
        { kind: 'size larger than shown', reason: 'deletion-not-in-file', count: 1 },
        { kind: 'size smaller than shown', reason: 'submission-not-in-file', count: 1 },
        { kind: 'no order on the side', reason: 'submission-not-in-file', count: 1 },
      ],
      localDifferences: 0,
    })
  })

  it('notice when the outcomes of the pool differ from those of the local engine', async () => {
    const source = await sourceOf(['1.0,1,10,5,100,1'], ['9999999999,0,100,5'])
    await source.fill(new RecordedBatch().asBatch, 100)
    const figures = new LobsterFigures(source)
    figures.event(accepted(0n, 10, 'buy', '0.0100', '4'))
    figures.end()
    expect(figures.summary().quotes?.localDifferences).toBe(1)
  })
})

describe('a visible book', () => {
  it('keeps its best prices through additions, reductions and removals', () => {
    const book = new VisibleBook()
    const prices = [50, 30, 70, 60, 40]
    for (const [i, price] of prices.entries()) {
      book.add(i + 1, 0, price, 10)
      book.add(i + 11, 1, price + 100, 10)
    }
    expect(book.quote()).toEqual({ bid: { price: 70, size: 10 }, ask: { price: 130, size: 10 } })
    book.reduce(3, 10)
    book.reduce(12, 4)
    expect(book.quote()).toEqual({ bid: { price: 60, size: 10 }, ask: { price: 130, size: 6 } })
    book.remove(12)
    book.remove(4)
    expect(book.quote()).toEqual({ bid: { price: 50, size: 10 }, ask: { price: 140, size: 10 } })
    expect([book.has(4), book.size(1), book.orders]).toEqual([false, 10, 7])
  })
})
