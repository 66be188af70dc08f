import { describe, expect, it } from 'vitest'
import {
  requestIdOf,
  requestTag,
  strategyOf,
  strategyTag,
  strategyTypeMax,
  strategyTypeMin,
} from '#tidemark/server/venue/tags.js'

const requestIds = [1, 2 ** 32, 2 ** 53 - 1]
const strategies = [0, 2 ** 32 - 1, undefined].flatMap((strategyId) =>
  [strategyTypeMin, strategyTypeMax, undefined].map((strategyType) => ({ strategyId, strategyType })),
)
const stated = strategies.filter(({ strategyId, strategyType }) => (strategyId ?? strategyType) !== undefined)

/** What each reader makes of a tag. */
const readings = (tag: bigint) => [requestIdOf(tag), strategyOf(tag)]

describe('the tag of a command', () => {
  it('is read as what it was made of, and as nothing else', () => {
    for (const id of requestIds) expect(readings(requestTag(id))).toEqual([id, undefined])
    for (const strategy of stated) expect(readings(strategyTag(strategy)!)).toEqual([undefined, strategy])
    for (const tag of [0n, 1n, 2n ** 56n - 1n]) expect(readings(tag)).toEqual([undefined, undefined])
  })

  it('has 64 bits, and is another for each', () => {
    const tags = [...requestIds.map(requestTag), ...stated.map((one) => strategyTag(one)!)]
    for (const tag of tags) expect(BigInt.asUintN(64, tag)).toBe(tag)
    expect(new Set(tags).size).toBe(tags.length)
    expect(strategyTag({ strategyId: undefined, strategyType: undefined })).toBeUndefined()
  })
})
