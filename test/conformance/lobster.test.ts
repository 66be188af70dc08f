import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { dataFolder, hasData, summaryOf } from '../support/cli.js'

const file = (name: string) => path.join(dataFolder, 'lobster', name)
const goog = 'GOOG_2012-06-21_34200000_57600000'
const missing = !hasData('lobster')

/** Sides of rows that disagree, summed by reason. */
function byReason(disagreements: { reason: string; count: number }[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { reason, count } of disagreements) sums[reason] = (sums[reason] ?? 0) + count
  return sums
}

describe.skipIf(missing)(`real NASDAQ flow${missing ? ` (skipped: no ${dataFolder}/lobster)` : ''}`, () => {
  it('of GOOG, a whole day: executions hit the named order and the best prices agree as often as the data allows', async () => {
    const { code, summary } = await summaryOf([
      file(`${goog}_message_1.csv`),
      '--orderbook',
      file(`${goog}_orderbook_1.csv`),
      '--verify',
    ])
    expect(code).toBe(0)
    const { executions, quotes, rows, unknownDeletions } = summary.lobster
    expect(rows).toBe(49_482)
    expect(executions).toMatchObject({ all: 7765, known: 5232, hitNamedOrder: 4931 })
    expect(byReason(executions.otherOrderHit)).toEqual({
      'deletion-not-in-file': 254,
      'matched-elsewhere': 47,
    })
    expect(quotes).toMatchObject({
      pricesAgree: 34_591,
      pricesAndSizesAgree: 19_891,
      pricesAgreeUnaided: 33_640,
      cancelledBetter: 8189,
      localDifferences: 0,
    })
    expect(Object.keys(byReason(quotes.disagreements)).sort()).toEqual([
      'deletion-not-in-file',
      'matched-elsewhere',
      'submission-not-in-file',
    ])
    const { fromBeforeTheFile, enteredAwayFromTheTouch } = unknownDeletions
    expect(fromBeforeTheFile + enteredAwayFromTheTouch).toBe(2167)
    expect(summary.verify).toMatchObject({ identical: true })
  })

  it('of AAPL at ten levels, without help: every execution hits, and 952 of 999 rows agree in price and size', async () => {
    const { code, summary } = await summaryOf([
      file('AAPL_small_message_10.csv'),
      '--orderbook',
      file('AAPL_small_orderbook_10.csv'),
      '--shards',
      '2',
      '--verify',
    ])
    expect(code).toBe(0)
    const { executions, quotes } = summary.lobster
    expect(executions).toMatchObject({ known: 94, hitNamedOrder: 94, otherOrderHit: [] })
    expect(quotes).toMatchObject({
      pricesAgree: 952,
      pricesAndSizesAgree: 952,
      cancelledBetter: 0,
      localDifferences: 0,
    })
    expect(byReason(quotes.disagreements)).toEqual({ 'submission-not-in-file': 47 })
  })
})
