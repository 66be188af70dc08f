/** A whole number as a number where that is exact. */
export function wholeNumber(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** A decimal without the zeros at its end, which only say how many digits a column has: "12.500" is "12.5". */
export function decimalText(text: string): string {
  return text.includes('.') && !/[eE]/.test(text) ? text.replace(/\.?0+$/, '') : text
}

/** Microseconds since 1970 as "2012-06-21T13:30:00.123456Z". */
export function timeText(micros: bigint): string {
  const ms = micros / 1000n - (micros % 1000n < 0n ? 1n : 0n)
  const below = String(micros - ms * 1000n).padStart(3, '0')
  if (ms > 8_640_000_000_000_000n || ms < -8_640_000_000_000_000n) return `${micros} us`
  return `${new Date(Number(ms)).toISOString().slice(0, -1)}${below}Z`
}
