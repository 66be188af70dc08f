import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PairedBooks } from './support/paired-books.js'
import {
  encodeDeepCommand,
  encodeInstruments,
  encodeRandomCommand,
  instruments,
  Random,
} from './support/random-commands.js'

const SEEDS = 200
const COMMANDS = 5000
const SEEDS_A_TEST = 25
const COMMANDS_A_STATE = 100

function run(seed: number): Map<string, number> {
  const counts = new Map<string, number>()
  const words = new Int32Array(128)
  const books = new PairedBooks(seed)
  for (const at of encodeInstruments(words)) books.apply(words, at)
  const random = new Random(seed)
  for (let i = 0; i < COMMANDS; i++) {
    encodeRandomCommand(words, random, i)
    try {
      const { type } = books.apply(words, 0)
      counts.set(type, (counts.get(type) ?? 0) + 1)
      if (i % COMMANDS_A_STATE === 0)
        for (const { instrumentId } of instruments) books.compareState(instrumentId)
    } catch (error) {
      throw new Error(`seed ${seed}, command ${i}: ${(error as Error).message}`, { cause: error })
    }
  }
  for (const { instrumentId } of instruments) books.compareState(instrumentId)
  for (let account = 0; account < 6; account++) {
    expect(books.engine.instrumentsOf(account)).toEqual(books.naive.instrumentsOf(account))
  }
  return counts
}

describe('the fast book against the naive one', () => {
  for (let first = 1; first <= SEEDS; first += SEEDS_A_TEST) {
    it(`reports the same and stays consistent, seeds ${first} to ${first + SEEDS_A_TEST - 1}`, () => {
      for (let seed = first; seed < first + SEEDS_A_TEST; seed++) {
        const counts = run(seed)
        expect([...counts.keys()].sort()).toEqual(
          expect.arrayContaining([
            'cancel',
            'cancel-all',
            'expire',
            'new',
            'reduce',
            'replace',
            'phase',
            'bust',
          ]),
        )
      }
    })
  }

  it('reports the same on deep books, whose levels are found through the tree', () => {
    for (let seed = 1; seed <= 4; seed++) {
      const words = new Int32Array(128)
      const books = new PairedBooks(seed)
      const random = new Random(seed)
      for (const at of encodeInstruments(words)) books.apply(words, at)
      for (let i = 0; i < 2500; i++) {
        encodeDeepCommand(words, random, i)
        books.apply(words, 0, i % 25 === 0)
      }
      for (const { instrumentId } of instruments) books.compareState(instrumentId)
    }
  })

  it('reports the same for any short series of commands, shrunk on failure', () => {
    const series = fc.array(fc.integer({ min: 0, max: 0x7fffffff }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(series, (seeds) => {
        const words = new Int32Array(128)
        const books = new PairedBooks(1)
        for (const at of encodeInstruments(words)) books.apply(words, at)
        for (const seed of seeds) {
          encodeRandomCommand(words, new Random(seed), 0)
          books.apply(words, 0)
        }
        for (const { instrumentId } of instruments) books.compareState(instrumentId)
      }),
      { numRuns: 1000 },
    )
  })
})
