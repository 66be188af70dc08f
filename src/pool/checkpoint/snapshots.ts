import { type ErrorMessage, fromErrorMessage, TaskThreads, threadEnded } from '../../log/index.js'
import { rulesVersion } from '../../matching/index.js'
import { PoolError } from '../errors.js'
import type { ShardHandle } from '../shard/shard-handle.js'
import { CopyRingReader, createCopyRing, raiseSignal } from '../snapshot/copy-ring.js'
import { type PoolSnapshot, removeUnfinishedSnapshots } from '../snapshot/snapshot-file.js'
import {
  decisions,
  decisionWord,
  type SnapshotOutcome,
  type SnapshotTask,
  type WrittenSnapshot,
} from './snapshot-thread.js'

const threadName = 'the snapshots'

/** A snapshot on its way: the shards copy their books into rings, a thread writes what comes out of them. */
export interface PendingSnapshot {
  /** Resolves with the highest LSN at which a shard was copied, when the shards are done. */
  readonly copied: Promise<number>
  /**
   * Gives the file its name. Only when everything up to the LSN is on disk. `placed` is called with the snapshot when it
   * is in place, also when what comes after that fails.
   */
  publish(placed: (snapshot: PoolSnapshot) => void): Promise<WrittenSnapshot>
  /** Cancels the snapshot. Resolves when the shards and the thread are free again. */
  discard(): Promise<void>
}

/** Takes snapshots: the event loop only sees their beginning and their end. */
export class Snapshots {
  readonly directory: string
  readonly #shards: readonly ShardHandle[]
  /** Made for the first snapshot, and anew after it failed. */
  #threads: TaskThreads<SnapshotTask, SnapshotOutcome> | undefined

  constructor(directory: string, shards: readonly ShardHandle[]) {
    this.directory = directory
    this.#shards = shards
  }

  /** Begins a snapshot. One at a time may be pending. */
  begin(): PendingSnapshot {
    const signal = new SharedArrayBuffer(8)
    const words = new Int32Array(signal)
    const decide = (decision: number) => {
      Atomics.store(words, decisionWord, decision)
      raiseSignal(signal)
    }
    const shards = this.#shards.map(({ inboundMemory }) => ({
      ring: createCopyRing(signal),
      inbound: inboundMemory,
    }))
    this.#threads ??= new TaskThreads({
      worker: 'bundled/snapshot',
      name: threadName,
      minThreads: 1,
      maxThreads: 1,
    })
    const threads = this.#threads
    const { directory } = this
    // A task reports its own failures in its outcome: a rejection is the end of the thread.
    const written = threads.run({ directory, rulesVersion, shards, signal }).catch((cause) => {
      throw threadEnded(threadName, cause)
    })
    const copies = this.#shards.map((shard, i) => shard.copy(shards[i]!.ring))
    const copied = Promise.all(copies).then((lsns) => Math.max(...lsns))
    // `publish` reports the failure. A thread that did not start, or died, frees no chunk: the shards stop.
    written.catch(() => {
      this.#threads = undefined
      void threads.destroy()
      for (const [i, { ring }] of shards.entries()) {
        new CopyRingReader(ring).cancel()
        this.#shards[i]!.inbound.wake()
      }
    })
    copied.catch(() => {})
    return {
      copied,
      async publish(placed) {
        decide(decisions.publish)
        const outcome = await written
        if (outcome.snapshot) placed(outcome.snapshot)
        if ('error' in outcome) throw errorOf(outcome.error)
        return outcome
      },
      async discard() {
        decide(decisions.discard)
        const [thread] = await Promise.allSettled([written, ...copies])
        // On failure the next opening removes them.
        if (thread.status === 'rejected') await removeUnfinishedSnapshots(directory).catch(() => {})
      },
    }
  }

  /** Ends the thread; none may be pending. */
  async close(): Promise<void> {
    await this.#threads?.destroy()
  }
}

function errorOf(message: ErrorMessage): Error {
  if (message.code !== 'TIDEMARK_CHECKPOINT_OVERRUN') return fromErrorMessage(message)
  return new PoolError(message.code, message.message, message.details)
}
