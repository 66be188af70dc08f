import { describe, expect, it } from 'vitest'
import { GroupBuffer, MatchingEngine, maxCommandWords } from '#tidemark/matching/index.js'
import { encodeInstruments, encodeRandomCommand, instruments, Random } from './support/random-commands.js'

/** An engine that has only the books saved from another one. */
function restored(engine: MatchingEngine, hashSeed: number): MatchingEngine {
  const copy = new MatchingEngine({ hashSeed })
  for (const { instrumentId } of instruments.toReversed()) copy.restoreBook(engine.saveBook(instrumentId)!)
  return copy
}

describe('a book that is saved and restored', () => {
  it('is the same book, and goes on exactly as the one it was saved from', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = new Random(seed)
      const words = new Int32Array(1024)
      const [group, copyGroup] = [new GroupBuffer(), new GroupBuffer()]
      const engine = new MatchingEngine({ hashSeed: seed })
      for (const at of encodeInstruments(words)) engine.apply(words, at, group)
      for (let round = 0; round < 5; round++) {
        for (let i = 0; i < 400; i++) {
          group.reset()
          encodeRandomCommand(words, random, i)
          engine.apply(words, 0, group)
        }
        const copy = restored(engine, seed * 31)
        copy.verify()
        for (const { instrumentId } of instruments) {
          expect(copy.bookState(instrumentId), `seed ${seed}`).toEqual(engine.bookState(instrumentId))
          expect(copy.digest(instrumentId)).toBe(engine.digest(instrumentId))
          expect(copy.saveBook(instrumentId)).toEqual(engine.saveBook(instrumentId))
        }
        for (let i = 0; i < 200; i++) {
          encodeRandomCommand(words, random, i)
          group.reset()
          copyGroup.reset()
          engine.apply(words, 0, group)
          copy.apply(words, 0, copyGroup)
          if (Buffer.compare(group.bytes(), copyGroup.bytes()) !== 0) {
            expect(copyGroup.bytes(), `seed ${seed}, round ${round}, command ${i}`).toEqual(group.bytes())
          }
        }
        copy.verify()
      }
    }
  })

  it('that is empty has a head only, and an unknown one has nothing', () => {
    const engine = new MatchingEngine()
    const words = new Int32Array(1024)
    const group = new GroupBuffer()
    for (const at of encodeInstruments(words)) engine.apply(words, at, group)
    expect(engine.saveBook(0)!.length).toBeLessThanOrEqual(maxCommandWords + 6)
    expect(engine.saveBook(1)).toBeUndefined()
    expect(restored(engine, 1).instruments()).toEqual(engine.instruments().toReversed())
  })
})
