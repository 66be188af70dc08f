import { expect } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { decodeCommand, decodeEvents, MatchingEngine, RecordBuffer } from '#tidemark/matching/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { wordsOf } from '#tidemark/pool/shard/replay.js'
import { readRecords } from './inline-log.js'
import { NaiveEngine } from './naive-book.js'

/** One command of `RandomFlow` whose promise resolved. */
export interface Acknowledgement {
  readonly symbol: string
  readonly tag: number
  readonly lsn: number
  readonly trades: readonly (readonly [number, number, number, string, string])[]
}

/**
 * Opens a folder and checks that every acknowledged command is there with its trades, that each symbol's commands are
 * gap-free, that the events are those of a naive replay, and that the books are. The whole log must be there still.
 */
export async function checkAcknowledged(
  dir: string,
  acknowledged: readonly Acknowledgement[],
  label: string,
): Promise<void> {
  const pool = await EnginePool.open({ dir })
  const { firstLsn, endLsn } = pool.recovery
  const digest = await pool.digest()
  await pool.close()
  const symbols: string[] = []
  const logged = new Map<number, { symbol: string; tag: number; lsn: number; trades: unknown[] }>()
  const tags = new Map<string, number[]>()
  const naive = new NaiveEngine()
  const fast = new MatchingEngine()
  const recomputed = new RecordBuffer()
  for (const record of readRecords(new NodeDisk(), firstLsn, endLsn, dir)) {
    const { lsn } = record
    const words = wordsOf(record)
    const command = decodeCommand(words, 0)!
    const events = decodeEvents(words, 0, words.length)
    // The cheap comparison first: vitest's own costs more than all the rest.
    const replayed = naive.apply(command)
    if (JSON.stringify(replayed) !== JSON.stringify(events))
      expect(replayed, `${label}, LSN ${lsn}`).toEqual(events)
    recomputed.reset()
    fast.apply(words, 0, recomputed)
    if (command.type === 'instrument') {
      symbols[command.instrumentId] = command.symbol
      continue
    }
    const symbol = symbols[command.instrumentId]!
    if (!tags.has(symbol)) tags.set(symbol, [])
    tags.get(symbol)!.push(command.tagLow)
    const trades = events.flatMap((event) =>
      event.event === 'trade'
        ? [[event.tradeId, event.makerOrderId, event.takerOrderId, `${event.price}`, `${event.quantity}`]]
        : [],
    )
    logged.set(lsn, { symbol, tag: command.tagLow, lsn, trades })
  }

  for (const { symbol, tag, lsn, trades } of acknowledged) {
    const found = logged.get(lsn)
    if (JSON.stringify(found) === JSON.stringify({ symbol, tag, lsn, trades })) continue
    expect(found, `${label}, acknowledged LSN ${lsn}`).toEqual({ symbol, tag, lsn, trades })
  }
  // Each life numbers its commands from 0 for each symbol: a gap would break a run of consecutive numbers.
  for (const [symbol, numbers] of tags) {
    for (const [i, tag] of numbers.entries()) {
      if (tag !== 0 && tag !== numbers[i - 1]! + 1)
        expect.fail(`${label}, ${symbol}: command ${tag} after ${numbers[i - 1]}`)
    }
  }
  for (const [id, symbol] of symbols.entries()) {
    expect(fast.bookState(id), label).toEqual(naive.bookState(id))
    expect(digest.symbols[symbol], `${label}, ${symbol}`).toBe(fast.digest(id))
  }
}
