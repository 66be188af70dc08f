/** "2026-01-31T12:00:00.000000Z" of microseconds since 1970; the number itself when no calendar has it. */
export function timeText(timeUs: number): string {
  const date = new Date(Math.floor(timeUs / 1000))
  if (Number.isNaN(date.getTime())) return `${timeUs} us`
  return date.toISOString().replace('Z', `${String(timeUs % 1000).padStart(3, '0')}Z`)
}
