/** A string, which is a field's name where a colon comes after it, or a number. */
const tokens = /"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** Any decimal of 15 significant digits goes through a double and comes back the same. */
const safeDigits = 15
const longNumber = /[\d.]{16}/

/**
 * The first number in a line of JSON that a double can't hold as it is written, and the field that it stands in ('' where
 * none was named); or undefined. `JSON.parse` would round it without a word.
 */
export function inexactNumber(line: string): { readonly token: string; readonly field: string } | undefined {
  if (!longNumber.test(line)) return undefined
  let field = ''
  for (const [token, text, colon] of line.matchAll(tokens)) {
    if (text !== undefined) {
      if (colon !== undefined) field = text
      continue
    }
    if (significantDigits(token).digits.length <= safeDigits) continue
    const written = significantDigits(token)
    const held = significantDigits(String(Number(token)))
    if (written.digits !== held.digits || written.exponent !== held.exponent) return { token, field }
  }
  return undefined
}

/** A number's digits without zeros at either end, and the power of ten of the last of them. */
function significantDigits(token: string): { digits: string; exponent: number } {
  const [mantissa = '', power = '0'] = token.replace('-', '').toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = `${whole}${fraction}`.replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  return {
    digits,
    exponent: digits === '' ? 0 : Number(power) - fraction.length + all.length - digits.length,
  }
}
