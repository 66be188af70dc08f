import type { StoreStats } from '../../store/index.js'
import { bytes, count, duration, rate } from '../number-format.js'
import { ProgressBar, RateMeter } from '../progress-bar.js'

/** Shows how far a store is, until it is stopped. */
export function storeProgress(stream: NodeJS.WriteStream, stats: () => StoreStats): ProgressBar {
  const bar = new ProgressBar(stream)
  const firstLsn = stats().storedLsn
  const rows = new RateMeter()
  bar.watch(() => {
    const now = stats()
    const span = now.syncedLsn - firstLsn
    const fraction = span === 0 ? 1 : (now.storedLsn - firstLsn) / span
    return [fraction, progressLine(now, fraction, rows.perSecond(now.rows))]
  })
  return bar
}

/** One line about a store that is being written. */
function progressLine(stats: StoreStats, fraction: number, ratePerSecond: number): string {
  const { rows, lagBytes, lagMs } = stats
  const lag = lagBytes === 0 ? 'no lag' : `lag ${bytes(lagBytes)}, ${duration(lagMs)}`
  return `${Math.floor(fraction * 100)}%  ${count(rows)} rows  ${rate(ratePerSecond)}/s  ${lag}`
}
