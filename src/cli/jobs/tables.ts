import type { JobCounts, JobTotals, LogValidation } from '../../jobs/index.js'
import { bytes, count, duration, rate } from '../number-format.js'
import { factsTable, type Fact as Row } from '../tables.js'

export interface StatusFigures extends JobCounts {
  readonly totals: Readonly<JobTotals>
  readonly lastSeq: number
  readonly snapshotSeq: number
  readonly logBytes: number
}

const damageShownMax = 20

/** The states of a queue's jobs for people. */
export function statusTable(status: StatusFigures): string {
  const { totals } = status
  return factsTable([
    ['pending', count(status.pending)],
    ['in flight', count(status.inFlight)],
    ['completed', count(totals.completed)],
    ['dead', `${count(totals.dead)} (${count(totals.cancelled)} cancelled)`],
    ['', ''],
    ['enqueued in all', count(totals.enqueued)],
    ['attempts', count(totals.dispatched)],
    ['retried', count(totals.retried)],
    ['timed out', count(totals.timedOut)],
    ['interrupted', count(totals.interrupted)],
    ['finished, id kept', count(status.finishedKept)],
    ['last event', `${count(status.lastSeq)} (snapshot up to ${count(status.snapshotSeq)})`],
    ['log on disk', bytes(status.logBytes)],
  ])
}

export interface RunFigures {
  readonly completed: number
  readonly dead: number
  readonly retried: number
  readonly timedOut: number
  readonly pending: number
  readonly elapsedMs: number
  /** Milliseconds from due to started; undefined when no job was started. */
  readonly dispatchLatency: { readonly p50Ms: number; readonly p99Ms: number } | undefined
}

/** What a run of the queue did. */
export function runTable(figures: RunFigures): string {
  const { dispatchLatency } = figures
  return factsTable([
    ['completed', count(figures.completed)],
    ['dead', count(figures.dead)],
    ['retried', count(figures.retried)],
    ['timed out', count(figures.timedOut)],
    ['still pending', count(figures.pending)],
    ['time', duration(figures.elapsedMs)],
    ['throughput', `${rate((figures.completed / figures.elapsedMs) * 1000)} jobs/s, all on disk`],
    [
      'dispatch latency',
      dispatchLatency === undefined
        ? '-'
        : `p50 ${duration(dispatchLatency.p50Ms)}, p99 ${duration(dispatchLatency.p99Ms)}, waiting in the queue included`,
    ],
  ])
}

/** What `validate` found. */
export function validationTable(validation: LogValidation): string {
  const { damage, tornEnd } = validation
  const rows: Row[] = [
    [
      'log',
      validation.valid
        ? 'valid'
        : `CORRUPT: ${count(damage.length)} damaged ${damage.length === 1 ? 'place' : 'places'}`,
    ],
    ['events', `${count(validation.events)} (${count(validation.firstSeq)} to ${count(validation.lastSeq)})`],
    ['segments', count(validation.segments)],
  ]
  if (tornEnd) {
    rows.push([
      'torn end',
      `${bytes(tornEnd.bytes)} at byte ${tornEnd.offset} of ${tornEnd.file}: ${tornEnd.reason}`,
    ])
    rows.push(['', 'never acknowledged; the next opening cuts it'])
  }
  for (const place of damage.slice(0, damageShownMax)) {
    const missing = place.count === undefined ? '' : `, ${count(place.count)} events missing`
    rows.push([
      `event ${place.seq}`,
      `${place.kind}, byte ${place.offset} of ${place.file}${missing}: ${place.reason}`,
    ])
  }
  if (damage.length > damageShownMax) rows.push(['', `and ${count(damage.length - damageShownMax)} more`])
  return factsTable(rows)
}
