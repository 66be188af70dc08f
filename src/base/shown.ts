/** A message shows no more of a value. */
const shownCharsMax = 200

/** A value as a message shows it. It may be anything that a caller passed, and making the text never fails. */
export function shown(value: unknown): string {
  const text = textOf(value)
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text
}

function textOf(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  // JSON says null for NaN and Infinity.
  if (typeof value === 'number') return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    // Something in it that JSON does not have, or a toJSON that throws.
    return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
  }
}
