/** A decimal string as digits and their scale: "12.50" is 1250 and 2. */
function parts(text: string): { units: bigint; scale: number } {
  const at = text.indexOf('.')
  if (at < 0) return { units: BigInt(text), scale: 0 }
  return { units: BigInt(text.slice(0, at) + text.slice(at + 1)), scale: text.length - at - 1 }
}

function text(units: bigint, scale: number): string {
  if (scale === 0) return String(units)
  const digits = String(units).padStart(scale + 1, '0')
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Price times quantity, exactly, with the decimals of both. */
export function multiply(price: string, quantity: string): string {
  const a = parts(price)
  const b = parts(quantity)
  return text(a.units * b.units, a.scale + b.scale)
}

/** The sum of two decimal strings, neither negative, with the decimals of the finer one. */
export function add(first: string, second: string): string {
  const a = parts(first)
  const b = parts(second)
  const scale = Math.max(a.scale, b.scale)
  return text(a.units * 10n ** BigInt(scale - a.scale) + b.units * 10n ** BigInt(scale - b.scale), scale)
}

/** The difference of two decimal strings; `undefined` when it would be negative. */
export function subtract(first: string, second: string): string | undefined {
  const a = parts(first)
  const b = parts(second)
  const scale = Math.max(a.scale, b.scale)
  const units = a.units * 10n ** BigInt(scale - a.scale) - b.units * 10n ** BigInt(scale - b.scale)
  return units < 0n ? undefined : text(units, scale)
}

/** Below 0 when the first decimal string is the smaller one, 0 when they are equal. */
export function compare(first: string, second: string): number {
  const difference = subtract(first, second)
  if (difference === undefined) return -1
  return isZero(difference) ? 0 : 1
}

export function isZero(amount: string): boolean {
  return /^[0.]*$/.test(amount)
}

/** 0 with the decimals of another decimal string. */
export function zeroLike(amount: string): string {
  return amount.replaceAll(/[1-9]/g, '0').replace(/^0+(?=0(\.|$))/, '')
}
