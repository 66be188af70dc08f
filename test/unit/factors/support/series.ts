import { existsSync, readFileSync } from 'node:fs'
import * as path from 'node:path'

/** A small generator (mulberry32), so that every run sees the same numbers. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 up to 1, without 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }
}

/** What an operator is fed with: one price and one volume, bid and ask a tick. */
export interface Series {
  readonly name: string
  readonly last: Float64Array
  readonly bid: Float64Array
  readonly ask: Float64Array
  readonly volume: Float64Array
}

function dataFolder(): string | undefined {
  const candidates = [process.env['TIDEMARK_DATA'], path.resolve('../shared/data')]
  return candidates.find((folder) => folder !== undefined && existsSync(path.join(folder, 'lobster')))
}

const googName = 'lobster/GOOG_2012-06-21_34200000_57600000'

/** Whether the folder with the day of order flow is there; tests that need it are skipped otherwise. */
export function hasGoogDay(): boolean {
  const folder = dataFolder()
  return folder !== undefined && existsSync(path.join(folder, `${googName}_message_1.csv`))
}

/**
 * Two ticks for each message of the day, 98,964 in all, and the first of the day again up to `count`: the middle of
 * the book, then the price that the message names.
 */
export function googDay(count: number): Series {
  const folder = dataFolder()!
  const rows = (name: string) =>
    readFileSync(path.join(folder, `${googName}_${name}_1.csv`), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.split(','))
  const messages = rows('message')
  const books = rows('orderbook')
  const series = empty('GOOG day', count)
  for (let i = 0; i < count; i++) {
    const row = (i >> 1) % messages.length
    const [ask, , bid] = books[row]!.map(Number)
    const price = Number(messages[row]![4])
    series.bid[i] = bid! / 10_000
    series.ask[i] = ask! / 10_000
    series.last[i] = i % 2 === 0 ? (bid! + ask!) / 20_000 : price / 10_000
    series.volume[i] = Number(messages[row]![3])
  }
  return series
}

export function randomWalk(count: number, seed = 1): Series {
  const random = new Random(seed)
  const series = empty('random walk', count)
  let price = 100
  for (let i = 0; i < count; i++) {
    price *= 1 + 0.001 * random.normal()
    series.last[i] = price
    series.bid[i] = price - 0.01 - 0.02 * random.next()
    series.ask[i] = price + 0.01 + 0.02 * random.next()
    series.volume[i] = 1 + random.below(500)
  }
  return series
}

export function constant(count: number): Series {
  const series = empty('constant', count)
  series.last.fill(123.456)
  series.bid.fill(123.45)
  series.ask.fill(123.46)
  series.volume.fill(7)
  return series
}

/** Small noise with spikes of up to a billion times its size. */
export function spiky(count: number): Series {
  const random = new Random(7)
  const series = empty('spiky', count)
  for (let i = 0; i < count; i++) {
    const spike = random.below(97) === 0 ? 10 ** random.below(10) : 0
    const price = 1 + random.next() + spike
    series.last[i] = price
    series.bid[i] = price - random.next() / 2
    series.ask[i] = price + random.next() / 2
    series.volume[i] = random.below(3) === 0 ? 0 : random.below(100) + spike / 10
  }
  return series
}

function empty(name: string, count: number): Series {
  return {
    name,
    last: new Float64Array(count),
    bid: new Float64Array(count),
    ask: new Float64Array(count),
    volume: new Float64Array(count),
  }
}
