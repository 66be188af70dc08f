import { type ErrorMessage, fromErrorMessage } from '../log/errors.js'
import { TaskThreads } from '../log/task-threads.js'
import { rulesVersion } from '../matching/index.js'
import { CopyRingReader, createCopyRing, raiseSignal } from './copy-ring.js'
import { PoolError } from './errors.js'
import type { ShardHandle } from './shard-handle.js'
import {
  decisions,
  decisionWord,
  type SnapshotOutcome,
  type SnapshotTask,
  type WrittenSnapshot,
} from './snapshot-thread.js'

/** A snapshot on its way: the shards copy their books into rings, a thread writes what comes out of them. */
export interface PendingSnapshot {
  /** Resolves with the highest LSN at which a shard was copied, when the shards are done. */
  readonly copied: Promise<number>
  /** Gives the file its name. Only when everything up to the LSN is on disk. */
  publish(): Promise<WrittenSnapshot>
  /** Gives up. Resolves when the shards and the thread are free again. */
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
      worker: 'snapshot',
      name: 'the snapshots',
      minThreads: 0,
      maxThreads: 1,
    })
    const threads = this.#threads
    const written = threads.run({ directory: this.directory, rulesVersion, shards, signal })
    const copies = this.#shards.map((shard, i) => shard.copy(shards[i]!.ring))
    const copied = Promise.all(copies).then((lsns) => Math.max(...lsns))
    // Whoever began it hears of a failure where it waits. A thread that did not start, or died, frees no chunk.
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
      async publish() {
        decide(decisions.publish)
        const outcome = await written
        if ('error' in outcome) throw errorOf(outcome.error)
        return outcome
      },
      async discard() {
        decide(decisions.discard)
        await Promise.allSettled([written, ...copies])
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
