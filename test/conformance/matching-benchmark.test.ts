import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeInstrument, MatchingEngine, RecordBuffer } from '#tidemark/matching/index.js'
import {
  benchmarkFolder,
  benchmarkInstrument,
  encodeMessage,
  forEachNormalMessage,
  hasBenchmarkData,
  normalSha256,
  readEdgeCases,
} from '../support/benchmark-data.js'
import { benchmarkReports } from '../support/benchmark-reports.js'

class BenchmarkBook {
  readonly engine = new MatchingEngine()
  readonly #record = new RecordBuffer()
  readonly #words = new Int32Array(128)

  constructor() {
    encodeInstrument(this.#words, 0, 0, 0, benchmarkInstrument)
    this.engine.apply(this.#words, 0, this.#record)
  }

  apply(message: Parameters<typeof encodeMessage>[2], seq: number): string[] {
    const record = this.#record
    encodeMessage(this.#words, 0, message, seq)
    record.reset()
    this.engine.apply(this.#words, 0, record)
    return benchmarkReports(record.i32, 0, record.byteLength / 4, seq)
  }
}

if (!hasBenchmarkData) console.warn(`SKIPPED: no matching-engine-benchmark data in ${benchmarkFolder}`)

describe.skipIf(!hasBenchmarkData)('the matching-engine-benchmark, at the book', () => {
  const cases = hasBenchmarkData ? Object.entries(readEdgeCases()) : []

  it('brings 34 edge cases', () => {
    expect(cases).toHaveLength(34)
  })

  it.each(cases)('edge case %s gives the expected reports, best prices and totals', (_name, edge) => {
    const book = new BenchmarkBook()
    const { instrumentId } = benchmarkInstrument
    const reports: string[] = []
    const states: unknown[] = []
    edge.messages.forEach((message, seq) => {
      reports.push(...book.apply(message, seq))
      book.engine.verify()
      const { bids, asks } = book.engine.totals(instrumentId)
      states.push([
        book.engine.bestBid(instrumentId) ?? null,
        book.engine.bestAsk(instrumentId) ?? null,
        bids.quantity,
        asks.quantity,
      ])
    })
    expect(reports).toEqual(edge.expected_reports)
    expect(states).toEqual(edge.bbo_and_total_qty_after_each)
  })

  it('the normal workload gives the published SHA-256', () => {
    const book = new BenchmarkBook()
    const hash = createHash('sha256')
    let separator = ''
    let lines: string[] = []
    const flush = (): void => {
      hash.update(separator + lines.join('\n'))
      separator = '\n'
      lines = []
    }
    const count = forEachNormalMessage((message, seq) => {
      lines.push(...book.apply(message, seq))
      if (lines.length > 10_000) flush()
    })
    flush()
    expect(count).toBe(1_996_097)
    book.engine.verify()
    expect(hash.digest('hex')).toBe(normalSha256)
  })
})
