import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll } from 'vitest'
import { FactorEngine } from '#tidemark/factors/engine.js'
import type { Tick } from '#tidemark/factors/ticks.js'
import { Random } from './series.js'

/** Every operator at work, and expressions over them. */
export const everyFactor = {
  sum5: 'sum(last, 5)',
  count9: 'count(last, 9)',
  ma20: 'mean(last, 20)',
  lowest: 'min(bid, 13)',
  highest: 'max(ask, 13)',
  variance: 'variance(last, 10, sample)',
  std20: 'std(last, 20)',
  skew: 'skewness(last, 17)',
  kurt: 'kurtosis(last, 17)',
  cov: 'covariance(bid, ask, 8)',
  corr: 'correlation(bid, last, 8)',
  z: 'zscore(last, 11)',
  before: 'delay(last, 4)',
  change: 'diff(last)',
  gain: 'return(last, 3)',
  ema12: 'ema(last, 12)',
  ema26: 'ema(last, 26)',
  dema: 'dema(last, 9)',
  rsi14: 'rsi(last, 14)',
  trend: 'macd(last)',
  band: 'bollinger(last, 20, 2)',
  range: 'atr(ask, bid, last, 14)',
  price: 'vwap()',
  momentum: '(ema12 - ema26) / std20',
  smooth: 'mean(momentum, 6) * 100',
}

export const instruments = ['ABC', 'Xyz', 'Ünïcode 日本']

/** The i-th tick of a feed that is the same every time. */
export function tickAt(i: number): Tick {
  const random = new Random(i * 7919 + 13)
  const last = 100 + 5 * Math.sin(i / 50) + random.normal() + (i % 211 === 0 ? 1e6 : 0)
  return {
    instrument: instruments[i % instruments.length]!,
    timestamp: 1_000_000 + i,
    last: i % 5 === 3 ? undefined : last,
    bid: last - random.next(),
    ask: last + random.next(),
    volume: random.below(100),
  }
}

/** The values and the state after the first `count` ticks, without a log. */
export function uninterrupted(count: number): FactorEngine {
  const engine = new FactorEngine()
  for (const instrument of instruments) engine.registerAll(instrument, everyFactor)
  for (let i = 0; i < count; i++) engine.processTick(tickAt(i))
  return engine
}

/** Every bit of an engine's state, as one text to compare. */
export function bitsOf(engine: { save(): ReturnType<FactorEngine['save']> }): string[] {
  return engine
    .save()
    .instruments.map(({ name, cells }) => `${name} ${Buffer.from(cells.buffer).toString('base64')}`)
}

const folders: string[] = []

/** A folder that is removed when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-factors-'))
  folders.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
