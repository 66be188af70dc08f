import type { OutsideReader } from '../../log/index.js'
import { type Progress, readStoreStatus, type StoreStatus, storeCursorName } from '../../store/index.js'
import { requireLog } from '../log-folder.js'
import { count } from '../number-format.js'
import { readersOf, readerText } from '../outside-readers.js'
import { type Fact, factsTable } from '../tables.js'
import { withStoreFailures } from './failures.js'

interface StatusFlags {
  readonly json?: boolean
  /** Folder of the log that is stored. */
  readonly log?: string
}

export async function showStatus(to: string, { json, log }: StatusFlags): Promise<void> {
  if (log !== undefined) requireLog(log)
  const status = await withStoreFailures(() => readStoreStatus(to))
  const reader = log === undefined ? undefined : await cursorOf(to, log)
  const text = json ? JSON.stringify({ ...status, reader }) : statusText(status, log === undefined, reader)
  process.stdout.write(`${text}\n`)
}

/** The cursor that a store has on a log, unless it was given one of another name. */
async function cursorOf(to: string, log: string): Promise<OutsideReader | undefined> {
  const name = storeCursorName(to)
  return (await readersOf(log)).find((reader) => reader.name === name)
}

function statusText(
  { target, schemaVersion, logs, rows }: StoreStatus,
  isAlone: boolean,
  reader: OutsideReader | undefined,
): string {
  return factsTable([
    ['store', target],
    ['schema version', String(schemaVersion)],
    ...logs.map((log): Fact => [`log of ${log.kind}`, progressText(log)]),
    ...(isAlone
      ? []
      : [['cursor', reader ? `${reader.name}: ${readerText(reader)}` : 'none'] satisfies Fact]),
    ...Object.entries(rows).map(([name, number]): Fact => [name.replaceAll('_', ' '), count(number)]),
  ])
}

function progressText({ lsn, loggedUs }: Progress): string {
  const at = loggedUs === 0 ? '' : `, logged ${new Date(loggedUs / 1000).toISOString()}`
  return `stored up to LSN ${count(lsn)}${at}`
}
