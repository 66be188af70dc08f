import type { LogInspection } from '../../log/index.js'
import { damageOf, damageText, type LogDamage } from '../../log/index.js'
import { bytes, count, duration } from '../number-format.js'
import { readerText } from '../outside-readers.js'
import { factsTable, type Fact as Row } from '../tables.js'
import type { CheckedSnapshot } from './snapshots.js'
import type { LogFigures } from './stats.js'

const damageShownMax = 50
const snapshotsShownMax = 10
const cursorsShownMax = 50

/** Damage in one line. */
export function damageLine(damage: LogDamage): string {
  return damageText(damageOf(damage))
}

/** A snapshot that is corrupt, in one line. */
export function snapshotLine({ path, reason }: CheckedSnapshot): string {
  return `${path}: ${reason}`
}

const verdicts = {
  valid: 'valid',
  torn: 'TORN TAIL: the next opening cuts it; nothing of it was acknowledged',
  corrupt: 'CORRUPT: it does not open, or must not be trusted',
} as const

/** What `verify` found, for people. */
export function verifyTable(found: LogInspection, snapshots: readonly CheckedSnapshot[]): string {
  const corrupt = snapshots.filter(({ reason }) => reason !== undefined)
  const verdict = found.verdict === 'valid' && corrupt.length > 0 ? 'corrupt' : found.verdict
  const rows: Row[] = [
    ['log', verdicts[verdict]],
    ['LSN', `${found.firstLsn} to ${found.endLsn}`],
    ['segments', count(found.segments.length)],
    ['records', `${count(found.records)} in ${count(found.batches)} batches`],
    ['snapshots', `${count(snapshots.length - corrupt.length)} valid, ${count(corrupt.length)} corrupt`],
  ]
  for (const damage of found.damage.slice(0, damageShownMax)) rows.push([damage.kind, damageLine(damage)])
  const more = found.damage.length - damageShownMax
  if (more > 0) rows.push(['', `and ${count(more)} more; --json lists all`])
  for (const snapshot of corrupt) rows.push(['snapshot', snapshotLine(snapshot)])
  return factsTable(rows)
}

/** What `stats` found, for people. */
export function statsTable(figures: LogFigures): string {
  const { recordTypes, commands, snapshots, first, last } = figures
  const tally = (counts: Record<string, number>): Row[] =>
    Object.entries(counts)
      .filter(([, times]) => times > 0)
      .map(([name, times]): Row => [`  ${name}`, count(times)])
  const rows: Row[] = [
    ['segments', count(figures.segments)],
    ['bytes', `${bytes(figures.logBytes)} of log in ${bytes(figures.fileBytes)} of files`],
    ['first', `LSN ${first.lsn}${first.time === undefined ? '' : `, ${first.time}`}`],
    ['last', `LSN ${last.lsn}${last.time === undefined ? '' : `, ${last.time}`}`],
    ['batches', count(figures.batches)],
    ['records', count(figures.records)],
    ...tally(recordTypes),
  ]
  if (Object.keys(commands).length > 0) rows.push(['commands', ''], ...tally(commands))
  if (Object.keys(figures.events).length > 0) rows.push(['events', ''], ...tally(figures.events))
  rows.push(['snapshots', count(snapshots.length)])
  for (const { lsn, ageMs, bytes: size, books, reason } of snapshots.slice(0, snapshotsShownMax)) {
    const valid = reason === undefined
    rows.push([
      `  LSN ${lsn}`,
      valid ? `${count(books!)} books, ${bytes(size!)}, ${duration(ageMs!)} old` : `CORRUPT: ${reason}`,
    ])
  }
  rows.push(...cursorRows(figures.cursors))
  if (figures.readers.length > 0) {
    rows.push(['readers outside', count(figures.readers.length)])
    for (const reader of figures.readers) rows.push([`  ${reader.name}`, readerText(reader)])
  }
  rows.push(['corrupt places', count(figures.corrupt)], ['torn tail', figures.tornTail ? 'yes' : 'no'])
  return factsTable(rows)
}

const cursorStates = {
  valid: '',
  invalidated: ', INVALIDATED: the log that it needs was deleted',
  'beyond-end': ', INVALIDATED: the log ends below it',
} as const

function cursorRows(cursors: LogFigures['cursors']): Row[] {
  if (cursors.length === 0) return []
  const rows = cursors.slice(0, cursorsShownMax).map(({ name, state, lsn, lagBytes, reason }): Row => {
    if (state === 'damaged') return [`  ${name}`, `DAMAGED: ${reason}`]
    return [`  ${name}`, `LSN ${lsn}, ${bytes(lagBytes!)} before the end${cursorStates[state]}`]
  })
  const more = cursors.length - rows.length
  if (more > 0) rows.push(['', `and ${count(more)} more; --json lists all`])
  return [['cursors', count(cursors.length)], ...rows]
}
