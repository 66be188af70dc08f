import { requireSchema, schemaVersion } from './prepare-schema.js'
import { type Progress, readAllProgress } from './progress.js'
import { openTarget } from './targets/open-target.js'

/** What a store holds. */
export interface StoreStatus {
  /** The database. */
  readonly target: string
  /** The version of its tables. */
  readonly schemaVersion: number
  /** How far each log is stored; a store may keep one of each kind. */
  readonly logs: readonly Progress[]
  /** Rows of what users read. */
  readonly rows: Readonly<Record<string, number>>
}

const tables = {
  instruments: 'instruments',
  open_orders: 'open_order_rows',
  closed_orders: 'closed_order_rows',
  order_events: 'order_event_rows',
  trades: 'trade_rows',
  factor_values: 'factor_value_rows',
  jobs: 'job_rows',
  ledger_entries: 'ledger_entry_rows',
  balance_changes: 'balance_change_rows',
} as const

/** Reads what a store holds. @throws StoreError */
export async function readStoreStatus(to: string, driver?: unknown): Promise<StoreStatus> {
  const target = await openTarget(to, { readOnly: true, driver })
  try {
    await requireSchema(target)
    const rows: Record<string, number> = {}
    for (const [name, table] of Object.entries(tables)) {
      const counted = await target.run(`SELECT COUNT(*) AS n FROM ${table}`)
      rows[name] = Number(counted.rows[0]?.['n'])
    }
    return { target: target.name, schemaVersion, logs: await readAllProgress(target), rows }
  } finally {
    await target.close()
  }
}
