import { NodeDisk } from '../disk/node-disk.js'
import { type FolderIdentity, Ownership } from '../disk/ownership.js'
import type { DiskMessage, ErrorMessage } from '../errors.js'
import { shortageOf, toErrorMessage } from '../errors.js'
import { segmentSeed } from '../format/segment.js'
import { type ContinuedLog, type LogCopies, type RecoveryReport, recoverLog } from '../recover/recovery.js'
import type { SealedStates } from '../recover/sealed-check.js'
import { int32, type LogMemory, LogViews, logState, startLogMemory } from '../ring/memory.js'
import { poisonMemory, wakeReplicator } from '../ring/signals.js'
import { Flusher, type FlushSettings } from './flusher.js'
import { SegmentWriter } from './segment-writer.js'
import { SharedPreallocated } from './shared-preallocated.js'

/** What the opener gives to the flusher's thread. */
export interface FlusherThreadData {
  readonly memory: LogMemory
  readonly directory: string
  readonly kind: string
  readonly contentVersion: number
  readonly identity: FolderIdentity
  readonly coveredLsn: number | undefined
  readonly copies: LogCopies | undefined
  /** Who moves the released LSN: a value of `releasedBy`. */
  readonly releasedBy: number
  readonly maxBatchBytes: number
  readonly segmentBytes: number
  readonly initialSegmentBytes: number
  readonly flush: FlushSettings
  readonly sealed: SealedStates
  /** Of a log that this process has followed: where it continues. */
  readonly continues?: ContinuedLog
}

export type FlusherMessage =
  | { readonly kind: 'ready'; readonly report: RecoveryReport }
  | { readonly kind: 'closed' }
  /** The log was poisoned by another thread, which says why. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: ErrorMessage }
  | DiskMessage

/** Opens the log, says so, and flushes until it is closed. Blocks its thread. */
export function runFlusherThread(data: FlusherThreadData, post: (message: FlusherMessage) => void): void {
  const disk = new NodeDisk()
  const control32 = new Int32Array(data.memory.control)
  const ownership = new Ownership(disk, data.directory, data.identity)
  try {
    const recovered = recoverLog({ disk, ownership, ...data })
    const { endLsn } = recovered.report
    startLogMemory(data.memory, endLsn, segmentSeed(recovered.active.header), data.releasedBy)
    const segments = new SegmentWriter({
      disk,
      directory: data.directory,
      preallocated: new SharedPreallocated(data.memory),
      ownership,
      segmentBytes: data.segmentBytes,
      active: recovered.active,
      capacity: recovered.capacity,
      allocated: recovered.allocated,
      endLsn,
    })
    const flusher = new Flusher({
      memory: data.memory,
      segments,
      settings: data.flush,
      ownership,
      onDisk: (full) =>
        post(
          full
            ? { kind: 'disk-full', shortage: shortageOf(full)!, error: toErrorMessage(full) }
            : { kind: 'disk-ready' },
        ),
    })
    post({ kind: 'ready', report: recovered.report })
    flusher.run()
    Atomics.compareExchange(control32, int32.state, logState.closing, logState.closed)
    wakeReplicator(control32)
    const isClosed = Atomics.load(control32, int32.state) === logState.closed
    post({ kind: isClosed ? 'closed' : 'stopped' })
  } catch (error) {
    poisonMemory(new LogViews(data.memory))
    post({ kind: 'failed', error: toErrorMessage(ownership.explain(error)) })
  }
}
