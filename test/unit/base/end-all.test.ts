import { describe, expect, it } from 'vitest'
import { endAll } from '#tidemark/base/end-all.js'

describe('the steps of an ending', () => {
  it('are all taken, one after the other, and the first failure is thrown after the last of them', async () => {
    const taken: number[] = []
    const ending = endAll(
      async () => {
        await Promise.resolve()
        taken.push(1)
        throw new Error('first')
      },
      () => {
        taken.push(2)
        throw new Error('second')
      },
      async () => {
        await Promise.resolve()
        taken.push(3)
      },
      () => taken.push(4),
    )
    await expect(ending).rejects.toThrow('first')
    expect(taken).toEqual([1, 2, 3, 4])
    await endAll(() => undefined)
  })
})
