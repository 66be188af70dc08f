import { describe, expect, it } from 'vitest'
import { didYouMean, unknownFieldOf } from '#tidemark/base/known-fields.js'

const known = ['symbol', 'timeInForce', 'quantity', 'price', 'stopPrice', 'orderId', 'maxInFlight']

describe('an unknown field', () => {
  it.each([
    ['tif', 'timeInForce'],
    ['timeinforce', 'timeInForce'],
    ['time_in_force', 'timeInForce'],
    ['qty', 'quantity'],
    ['quantitiy', 'quantity'],
    ['prise', 'price'],
    ['stop-price', 'stopPrice'],
    ['order_id', 'orderId'],
    ['maxInflight', 'maxInFlight'],
  ])('%s is taken for %s', (field, meant) => {
    expect(didYouMean(field, known)).toBe(` Did you mean ${meant}?`)
  })

  it.each(['colour', '', 'x'.repeat(1000), '価格', 'z'])('%s is taken for none', (field) => {
    expect(didYouMean(field, known)).toBe('')
  })

  it('is one of the object’s own that has a value', () => {
    const inherited = Object.create({ tif: 'IOC' })
    expect(unknownFieldOf(inherited, new Set(known))).toBeUndefined()
    expect(unknownFieldOf({ price: 1, tif: undefined }, new Set(known))).toBeUndefined()
    expect(unknownFieldOf({ price: 1, tif: null }, new Set(known))).toBe('tif')
    expect(unknownFieldOf(JSON.parse('{"__proto__":1}'), new Set(known))).toBe('__proto__')
  })
})
