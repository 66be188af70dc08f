import { connectReplicatedLog, type ReplicatedLog } from '../../log/index.js'
import { bytes, count } from '../number-format.js'
import { type Fact, factsTable } from '../tables.js'
import { type EtcdFlags, engineOf } from './etcd-flags.js'
import { withStandbyFailures } from './failures.js'

/** What the replicated log of a pool says: who writes it, who follows, what it holds. */
async function read(log: ReplicatedLog) {
  const [epoch, holder, lineage, window, standbys] = await Promise.all([
    log.epoch(),
    log.holder(),
    log.lineage(),
    log.window(),
    log.standbys(),
  ])
  return {
    log: log.name,
    epoch: epoch?.n ?? 0,
    primary: holder?.owner,
    window,
    standbys: standbys.map(({ name, lsn }) => ({ name, lsn, lagBytes: Math.max(0, window.endLsn - lsn) })),
    lineage: lineage.map(({ n, firstLsn }) => ({ epoch: n, firstLsn })),
  }
}

export async function showReplication(flags: EtcdFlags & { readonly json?: boolean }): Promise<void> {
  await withStandbyFailures(async () => {
    const log = await connectReplicatedLog(engineOf(flags), flags.pool)
    try {
      const status = await read(log)
      process.stdout.write(`${flags.json ? JSON.stringify(status) : statusText(status)}\n`)
    } finally {
      await log.close()
    }
  })
}

function statusText({
  log,
  epoch,
  primary,
  window,
  standbys,
  lineage,
}: Awaited<ReturnType<typeof read>>): string {
  return factsTable([
    ['log', log],
    ['epoch', epoch === 0 ? 'none: nothing was written yet' : String(epoch)],
    ['primary', primary ?? 'none that is known to be alive'],
    [
      'window',
      `LSN ${count(window.beginLsn)} to ${count(window.endLsn)}, ${bytes(window.endLsn - window.beginLsn)}`,
    ],
    ...standbys.map(
      ({ name, lsn, lagBytes }): Fact => [
        'standby',
        `${name}: LSN ${count(lsn)}${lagBytes === 0 ? '' : `, lags by ${bytes(lagBytes)}`}`,
      ],
    ),
    ...lineage.map((part): Fact => ['lineage', `epoch ${part.epoch} from LSN ${count(part.firstLsn)}`]),
  ])
}
