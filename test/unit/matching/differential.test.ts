import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differentialRun } from './support/differential-run.js'
import { PairedBooks } from './support/paired-books.js'
import {
  encodeDeepCommand,
  encodeInstruments,
  encodeRandomCommand,
  instruments,
  Random,
} from './support/random-commands.js'

const SEEDS = 20
const COMMANDS = 5000

describe('the fast book against the naive one', () => {
  // test/faults/book-differential.test.ts goes through more seeds.
  it(`reports the same and stays consistent, seeds 1 to ${SEEDS}`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { commands } = differentialRun(seed, COMMANDS)
      expect([...commands.keys()].sort()).toEqual(
        expect.arrayContaining([
          'bust',
          'cancel',
          'cancel-all',
          'cancel-list',
          'expire',
          'list',
          'new',
          'phase',
          'reduce',
          'replace',
        ]),
      )
    }
  })

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
