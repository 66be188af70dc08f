import { describe, expect, it } from 'vitest'
import { allAssertions, assert, broken } from '#tidemark/base/assert.js'

describe('an assertion', () => {
  it('says what must hold and the values that break it', () => {
    expect(() => assert(false, 'the durable LSN only rises', () => ({ from: 8, to: 4 }))).toThrow(
      /must hold inside tidemark and does not: the durable LSN only rises \(from 8, to 4\)/,
    )
    expect(() => broken('a record ends in its batch', { end: 12 })).toThrow(
      expect.objectContaining({ code: 'TIDEMARK_INVARIANT', details: { end: 12 } }),
    )
  })

  it('that holds computes no values', () => {
    assert(true, 'never', () => {
      throw new Error('computed')
    })
  })

  it('of the dear kind runs in the tests', () => {
    expect(allAssertions).toBe(true)
  })
})
