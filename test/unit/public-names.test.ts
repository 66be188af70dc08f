import { describe, expect, it } from 'vitest'
import { publicNames } from '../support/public-names.js'

describe('the public names of the package', () => {
  it('are all documented, with their members', () => {
    const { count, undocumented } = publicNames()
    expect(count).toBeGreaterThan(1500)
    expect(undocumented).toEqual([])
  })
})
