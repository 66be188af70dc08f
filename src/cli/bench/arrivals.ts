import { LatencyRecorder, type LatencySummary } from '../latency.js'

export interface ArrivalSettings {
  readonly ratePerSecond: number
  readonly arrivals: number
  /** Arrivals handed over and not yet acknowledged, at most: those after them wait, and their latency counts on. */
  readonly window: number
  /** Arrivals handed over at once, at most; Infinity unless stated. */
  readonly batchMax?: number
  /** Called when all memory is there, before the clock starts: to collect garbage, which would stop the arrivals. */
  readonly beforeClock?: () => void
}

export interface ArrivalResult {
  readonly latency: LatencySummary
  /** Whether the rate was kept: all was acknowledged, at most a tenth of the time (and 100 ms) after the last was due. */
  readonly kept: boolean
  readonly arrivals: number
  /** Arrivals handed over at once, on average. */
  readonly meanBatch: number
  /** The longest turn of the event loop that hands over: what it does besides, and where it got no processor, is in it. */
  readonly longestTurnMs: number
}

/** A run that falls this far behind is not waited for any longer. */
const durationTimesMax = 1.5

/**
 * Arrivals at a fixed rate whatever becomes of them: number i is due at i / rate, and its latency counts from then, so
 * that a stall is charged for every arrival that would have waited. `handOver(from, to)` takes the arrivals that have become
 * due, and resolves when they are durable. The thread goes round its event loop without sleeping, because timers are
 * too coarse; times are noted as they come and made into a histogram afterwards.
 */
export async function runArrivals(
  settings: ArrivalSettings,
  handOver: (from: number, to: number) => Promise<unknown>,
): Promise<ArrivalResult> {
  const { ratePerSecond, arrivals, window, batchMax = Number.POSITIVE_INFINITY } = settings
  const spacingMs = 1000 / ratePerSecond
  const firsts = new Int32Array(arrivals)
  const ackedMs = new Float64Array(arrivals)
  let batches = 0
  let arrived = 0
  let pending = 0
  let failure: unknown
  let longestTurnMs = 0
  settings.beforeClock?.()
  const startMs = performance.now()
  let turnMs = startMs
  const endMs = startMs + arrivals * spacingMs * durationTimesMax + 100
  while (arrived < arrivals && failure === undefined) {
    const nowMs = performance.now()
    longestTurnMs = Math.max(longestTurnMs, nowMs - turnMs)
    turnMs = nowMs
    if (nowMs > endMs) break
    const due = Math.min(arrivals, Math.floor((nowMs - startMs) / spacingMs) + 1, arrived + window - pending)
    while (arrived < due) {
      const to = Math.min(due, arrived + batchMax)
      const batch = batches++
      const count = to - arrived
      firsts[batch] = arrived
      pending += count
      handOver(arrived, to).then(
        () => {
          ackedMs[batch] = performance.now()
          pending -= count
        },
        (error) => {
          failure = error
        },
      )
      arrived = to
    }
    await new Promise(setImmediate)
  }
  while (pending > 0 && failure === undefined) await new Promise(setImmediate)
  if (failure !== undefined) throw failure
  const elapsedMs = performance.now() - startMs
  const latency = new LatencyRecorder()
  for (let batch = 0; batch < batches; batch++) {
    const end = batch + 1 < batches ? firsts[batch + 1]! : arrived
    for (let i = firsts[batch]!; i < end; i++) latency.record(ackedMs[batch]! - startMs - i * spacingMs)
  }
  return {
    latency: latency.summary(),
    kept: arrived === arrivals && elapsedMs <= arrivals * spacingMs * 1.1 + 100,
    arrivals: arrived,
    meanBatch: batches === 0 ? 0 : arrived / batches,
    longestTurnMs,
  }
}
