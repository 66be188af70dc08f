import { setTimeout as sleep } from 'node:timers/promises'
import { assert } from '../../base/assert.js'
import { NodeDisk } from '../disk/node-disk.js'
import { toErrorMessage } from '../errors.js'
import type { SegmentHeader } from '../format/segment.js'
import { connectReplicatedLog, type ReplicatedLog } from '../replicated/index.js'
import { int32, LogViews, replicatorState } from '../ring/memory.js'
import { poisonMemory, wakeFlusher } from '../ring/signals.js'
import { localSegments } from './local-log.js'
import { Replicator } from './replicator.js'
import type { BeginReplication, ReplicatorMessage, ReplicatorThreadData } from './replicator-messages.js'
import { type TakenLog, takeEpoch } from './take-epoch.js'

/** What the thread says, and how it hears once that the log is recovered. */
export interface ReplicatorPort {
  post(message: ReplicatorMessage): void
  begin(): Promise<BeginReplication>
}

/** How long the end of the thread waits for the engine to let its connections go. */
const disconnectMs = 500

/** Takes the replicated log for the folder, waits for the folder's log to be recovered, and ships it until it is closed. */
export async function runReplicatorThread(data: ReplicatorThreadData, port: ReplicatorPort): Promise<void> {
  const views = new LogViews(data.memory)
  let log: ReplicatedLog | undefined
  try {
    log = await connectReplicatedLog(data.engine, data.pool)
    const segments = localSegments(new NodeDisk(), data.directory)
    const taken = await takeEpoch(log, { ...data, segments })
    port.post({ kind: 'connected', endLsn: taken.endLsn, epoch: taken.epoch.n })
    const { endLsn } = await port.begin()
    await ship(data, log, taken, endLsn, port)
    port.post({ kind: 'ended' })
  } catch (error) {
    Atomics.store(views.control32, int32.replicatorState, replicatorState.ended)
    poisonMemory(views)
    wakeFlusher(views.control32)
    port.post({ kind: 'failed', error: toErrorMessage(error) })
  } finally {
    await Promise.race([log?.close(), sleep(disconnectMs)])
  }
}

async function ship(
  data: ReplicatorThreadData,
  log: ReplicatedLog,
  taken: TakenLog,
  endLsn: number,
  { post }: ReplicatorPort,
): Promise<void> {
  const disk = new NodeDisk()
  const { epoch, isNew } = taken
  const segments = localSegments(disk, data.directory)
  // That of this opening: nothing was written since it was begun but a few batches.
  const { firstLsn, epoch: segmentEpoch } = segments.at(-1)!
  const fromLsn = isNew ? await beginLog(log, taken, segments, data.windowBytes) : taken.endLsn
  assert(fromLsn <= firstLsn, 'a folder is the primary only with all that was replicated', () => ({
    fromLsn,
    firstLsn,
  }))
  let begun = data.ack === 'local'
  if (begun) post({ kind: 'begun' })
  const replicator = new Replicator({
    ...data,
    disk,
    log,
    epoch,
    fromLsn,
    windowFirstLsn: isNew ? fromLsn : taken.windowFirstLsn,
    isNew,
    lineage: { n: epoch.n, segmentEpoch, firstLsn },
    report: {
      replicated(lsn) {
        if (begun || lsn < endLsn) return
        begun = true
        post({ kind: 'begun' })
      },
      stalled: (error) => post({ kind: 'stalled', error: toErrorMessage(error) }),
      resumed: (stalledMs) => post({ kind: 'resumed', stalledMs }),
      standbys: (standbys) => post({ kind: 'standbys', standbys }),
      incomplete: (leftBytes, error) => post({ kind: 'incomplete', leftBytes, error: toErrorMessage(error) }),
    },
  })
  await replicator.run()
}

/**
 * Decides where a replicated log begins that nothing was appended to: with all that the folder has, if the window takes it, or
 * else with the segment of this opening. A standby gets what comes before from a copy of the folder.
 */
async function beginLog(
  log: ReplicatedLog,
  { epoch, endLsn }: TakenLog,
  segments: readonly SegmentHeader[],
  windowBytes: number,
): Promise<number> {
  const first = segments[0]!.firstLsn
  const last = segments.at(-1)!.firstLsn
  // An earlier opening may have got as far as to say where it begins.
  const beginLsn = last - first <= windowBytes / 2 && endLsn <= first ? first : last
  await log.trim(epoch, beginLsn)
  return beginLsn
}
