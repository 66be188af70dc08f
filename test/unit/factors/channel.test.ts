import { expect, it } from 'vitest'
import { Channel } from '#tidemark/factors/durable/channel.js'
import { entryHeadWords, entryKind, writeHead } from '#tidemark/factors/entries.js'
import { Random } from './support/series.js'

function add(channel: Channel, values: number, series: number): { place: number; words: number } {
  const words = entryHeadWords + values
  const at = channel.reserve(words)
  const place = channel.nextPlace
  writeHead(channel.int32, channel.float64, at, entryKind.vector, 0, values, series, series)
  for (let i = 0; i < values; i++) channel.float64[at + entryHeadWords + i] = series + i / 1000
  channel.add(words)
  return { place, words }
}

it('gives entries out in order and whole, and knows where each waits, however it grows and moves', () => {
  for (let seed = 0; seed < 10; seed++) {
    const random = new Random(seed)
    const channel = new Channel()
    const waiting: { series: number; place: number; words: number }[] = []
    const gone: number[] = []
    let series = 0
    for (let step = 0; step < 400; step++) {
      if (random.below(3) > 0) {
        for (let i = random.below(12); i > 0; i--) {
          waiting.push({ series, ...add(channel, random.below(100), series) })
          series++
        }
      } else {
        const { entries, bytes } = channel.peek(1 + random.below(40), 8 * (110 + random.below(4000)))
        const taken = waiting.splice(0, entries)
        expect(entries > 0 || waiting.length === 0).toBe(true)
        expect(bytes.byteLength).toBe(taken.reduce((sum, { words }) => sum + 8 * words, 0))
        channel.remove(entries, bytes.byteLength)
        gone.push(...taken.map(({ place }) => place))
      }
      expect(channel.length).toBe(waiting.length)
      expect(channel.first).toBe(series - waiting.length)
      expect(
        waiting.every(({ series: own, place }) => channel.float64[channel.wordAt(place) + 1] === own),
      ).toBe(true)
      expect(gone.slice(-20).every((place) => channel.wordAt(place) === -1)).toBe(true)
    }
  }
})

it('keeps within a batch what fits into a record', () => {
  const channel = new Channel()
  for (let i = 0; i < 10; i++) add(channel, 8, i)
  expect(channel.peek(100, 250)).toMatchObject({ entries: 3 })
  expect(channel.peek(2, 250)).toMatchObject({ entries: 2 })
  expect(channel.peek(100, 10_000)).toMatchObject({ entries: 10 })
})
