import { describe, expect, it } from 'vitest'
import { Channel } from '#tidemark/factors/durable/channel.js'
import { FactorReplay } from '#tidemark/factors/durable/replay.js'
import { entryHeadWords, entryKind, writeHead } from '#tidemark/factors/entries.js'
import { RollingMax, RollingMean } from '#tidemark/factors/index.js'

const invariant = expect.objectContaining({ code: 'TIDEMARK_INVARIANT' })

describe('a channel', () => {
  it('takes in the tests no entry that is longer than its head says', () => {
    const channel = new Channel()
    const at = channel.reserve(entryHeadWords + 3)
    writeHead(channel.int32, channel.float64, at, entryKind.vector, 0, 2, 0, 0)
    expect(() => channel.add(entryHeadWords + 3)).toThrow(invariant)
    channel.add(entryHeadWords + 2)
    expect(channel.length).toBe(1)
  })
})

describe('a replay', () => {
  it('takes records only in the order of their LSNs', () => {
    const replay = new FactorReplay(undefined, 0)
    const none = new Int32Array(0)
    replay.visit(none, 0, 0, 64, 0)
    expect(() => replay.visit(none, 0, 0, 64, 0)).toThrow(invariant)
    replay.visit(none, 0, 0, 128, 0)
    expect(replay.lsn).toBe(128)
  })
})

describe('an operator', () => {
  it('has all its cells in the strip of its instrument', () => {
    const place = { cells: new Float64Array(8), inputs: [0], allocate: () => 6 }
    expect(() => new RollingMean(5, place)).toThrow(invariant)
  })

  it.each([
    ['in a block', new RollingMean(3), 1],
    ['of the extreme', new RollingMax(3), 2],
  ])('has its place %s inside its window, which the tests check', (_what, operator, cell) => {
    operator.update(1)
    operator.cells[operator.at + cell] = 3
    expect(() => operator.update(2)).toThrow(invariant)
  })
})
