import { type Progress, readStoreStatus, type StoreStatus } from '../../store/index.js'
import { count } from '../number-format.js'
import { withStoreFailures } from './failures.js'

export async function showStatus(to: string, flags: { readonly json?: boolean }): Promise<void> {
  const status = await withStoreFailures(() => readStoreStatus(to))
  process.stdout.write(`${flags.json ? JSON.stringify(status) : statusText(status)}\n`)
}

function statusText({ target, schemaVersion, logs, rows }: StoreStatus): string {
  const lines: [string, string][] = [
    ['store', target],
    ['schema version', String(schemaVersion)],
    ...logs.map((log): [string, string] => [`log of ${log.kind}`, progressText(log)]),
    ...Object.entries(rows).map(([name, number]): [string, string] => [
      name.replaceAll('_', ' '),
      count(number),
    ]),
  ]
  const width = Math.max(...lines.map(([label]) => label.length))
  return lines.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n')
}

function progressText({ lsn, loggedUs }: Progress): string {
  const at = loggedUs === 0 ? '' : `, logged ${new Date(loggedUs / 1000).toISOString()}`
  return `stored up to LSN ${count(lsn)}${at}`
}
