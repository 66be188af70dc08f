import { Store, type StoreStats } from '../../store/index.js'
import { exitCodes } from '../exit-codes.js'
import { requireLog } from '../log-folder.js'
import { bytes, count, duration, quantiles, rate } from '../number-format.js'
import { withStoreFailures } from './failures.js'
import { storeProgress } from './progress.js'

export interface SyncFlags {
  readonly to: string
  readonly follow?: boolean
  readonly rows: number
  /** `false` with --no-cursor. */
  readonly cursor?: string | false
  readonly json?: boolean
  readonly progress: boolean
}

const signals = ['SIGINT', 'SIGTERM'] as const

export async function syncStore(dir: string, flags: SyncFlags): Promise<void> {
  requireLog(dir)
  await withStoreFailures(async () => {
    const startMs = performance.now()
    const { to, follow = false, rows: transactionRows, cursor } = flags
    const store = await Store.open({ dir, to, follow, transactionRows, cursor })
    const display = flags.progress ? storeProgress(process.stderr, () => store.stats()) : undefined
    let interrupted = false
    const interrupt = () => {
      interrupted = true
      void store.close()
    }
    for (const signal of signals) process.once(signal, interrupt)
    try {
      await store.ended
    } finally {
      for (const signal of signals) process.off(signal, interrupt)
      display?.stop()
      await store.close()
    }
    const stats = store.stats()
    const elapsedMs = performance.now() - startMs
    process.stdout.write(
      `${flags.json ? JSON.stringify({ ...stats, elapsedMs }) : summary(stats, elapsedMs)}\n`,
    )
    if (interrupted) process.exitCode = exitCodes.interrupted
  })
}

function summary(stats: StoreStats, elapsedMs: number): string {
  const { rows, transactions, storedLsn, lagBytes, latency } = stats
  const late = lagBytes === 0 ? 'everything that is synced' : `${bytes(lagBytes)} are left`
  return [
    rows === 0
      ? 'stored       nothing new'
      : `stored       ${count(rows)} rows in ${count(transactions)} transactions`,
    `up to LSN    ${count(storedLsn)} (${late})`,
    ...(rows === 0 ? [] : [`time         ${duration(elapsedMs)}, ${rate((rows / elapsedMs) * 1000)} rows/s`]),
    ...(latency.count > 0 ? [`from the log  ${quantiles(latency)}`] : []),
  ].join('\n')
}
