/** Numbers as people read them. All of them are plain ASCII, the same in every locale. */

/** 1234567 as "1,234,567". Fractions are rounded off. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A part of a whole as "94.2%"; "0%" of nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '0%'
  const value = (part / whole) * 100
  return `${value === 100 || value === 0 ? value : value.toFixed(1)}%`
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** 1536 as "1.5 KiB". */
export function bytes(value: number): string {
  let unit = 0
  let scaled = value
  while (scaled >= 1024 && unit < byteUnits.length - 1) {
    scaled /= 1024
    unit++
  }
  return `${unit === 0 ? count(scaled) : scaled.toFixed(1)} ${byteUnits[unit]}`
}

/** Milliseconds with three significant digits and a unit that fits: "850 us", "12.3 ms", "4.56 s". */
export function duration(milliseconds: number): string {
  if (milliseconds < 1) return `${significant(milliseconds * 1000)} us`
  if (milliseconds < 1000) return `${significant(milliseconds)} ms`
  return `${significant(milliseconds / 1000)} s`
}

/** What a summary says of latencies, in the words of a table: "p50 120 us, p99 1.20 ms, max 8.01 ms". */
export function quantiles(of: {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}): string {
  return `p50 ${duration(of.p50Ms)}, p99 ${duration(of.p99Ms)}, max ${duration(of.maxMs)}`
}

/** A rate in one unit of 1, thousands or millions: "812", "45.6 k", "1.23 M". */
export function rate(perSecond: number): string {
  if (perSecond < 1000) return significant(perSecond)
  if (perSecond < 999_500) return `${significant(perSecond / 1000)} k`
  return `${significant(perSecond / 1_000_000)} M`
}

function significant(value: number): string {
  if (value >= 99.95) return count(value)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}
