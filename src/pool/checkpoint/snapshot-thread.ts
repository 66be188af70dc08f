import { type ErrorMessage, LogError, toErrorMessage } from '../../log/thread.js'
import { PoolError } from '../errors.js'
import { type InboundMemory, InboundWriter } from '../shard/inbound-ring.js'
import { type CopyRingMemory, CopyRingReader, ringStates } from '../snapshot/copy-ring.js'
import {
  type PoolSnapshot,
  SnapshotWriter,
  validSnapshots,
  verifySnapshot,
} from '../snapshot/snapshot-file.js'

/** What the thread that writes snapshots is to do. */
export interface SnapshotTask {
  readonly directory: string
  readonly rulesVersion: number
  /** For each shard, the way its copy takes and where it waits. */
  readonly shards: readonly { readonly ring: CopyRingMemory; readonly inbound: InboundMemory }[]
  /** Two words: the count of `CopyRingMemory.signal`, and a decision. */
  readonly signal: SharedArrayBuffer
}

/** What is to become of the snapshot when its pieces are written. */
export const decisions = { none: 0, publish: 1, discard: 2 } as const
export const decisionWord = 1

export interface WrittenSnapshot {
  readonly snapshot: PoolSnapshot
  /** All valid snapshots of the folder, newest first, every byte of them read. */
  readonly valid: readonly PoolSnapshot[]
}

/** With a snapshot and an error, the snapshot is in place and valid as far as is known, and what came after it failed. */
export type SnapshotOutcome =
  | WrittenSnapshot
  | { readonly error: ErrorMessage; readonly snapshot?: PoolSnapshot | undefined }

/** Writes one snapshot from what the shards copy. Blocks its thread; a failure ends the shards' copies. */
export async function writeSnapshot(task: SnapshotTask): Promise<SnapshotOutcome> {
  let snapshot: PoolSnapshot | undefined
  try {
    snapshot = writeFile(task)
    const valid = await validSnapshots(task.directory)
    if (isAmong(valid, snapshot)) return { snapshot, valid }
    const failure = await whyNotReadBack(snapshot)
    return failure ? { error: toErrorMessage(failure) } : { snapshot, valid: [snapshot, ...valid] }
  } catch (error) {
    return { error: toErrorMessage(error), snapshot }
  }
}

function isAmong(snapshots: readonly PoolSnapshot[], { path }: PoolSnapshot): boolean {
  return snapshots.some((valid) => valid.path === path)
}

/**
 * Why a snapshot that was just written is not among the valid ones, where what can't be read is passed over. `undefined`:
 * it is read again and is valid, so that one failed call is not taken for a damaged file.
 */
async function whyNotReadBack({ path: file }: PoolSnapshot): Promise<unknown> {
  try {
    if (await verifySnapshot(file)) return undefined
  } catch (error) {
    return error
  }
  return new LogError(
    'TIDEMARK_LOG_CORRUPT',
    `${file} was written and does not read back as it was: check the disk. The snapshot before it stays, with the log that it needs.`,
    { file },
  )
}

function writeFile({ directory, rulesVersion, shards, signal }: SnapshotTask): PoolSnapshot {
  const rings = shards.map(({ ring }) => new CopyRingReader(ring))
  const inbounds = shards.map(({ inbound }) => new InboundWriter(inbound))
  const words = new Int32Array(signal)
  let writer: SnapshotWriter | undefined
  try {
    writer = new SnapshotWriter(directory)
    for (;;) {
      const seen = Atomics.load(words, 0)
      const decision = Atomics.load(words, decisionWord)
      if (decision === decisions.discard) throw new Error('The snapshot was cancelled.')
      const copied = drain(rings, inbounds, writer)
      if (copied === 'all' && decision === decisions.publish) {
        const sections = rings.map(({ section }) => section)
        return writer.publish(rulesVersion, sections)
      }
      if (copied !== 'some') Atomics.wait(words, 0, seen)
    }
  } catch (error) {
    writer?.discard()
    for (const [shard, ring] of rings.entries()) {
      ring.cancel()
      inbounds[shard]!.wake()
    }
    throw error
  }
}

/** Writes what is there, a chunk of each shard. */
function drain(
  rings: readonly CopyRingReader[],
  inbounds: readonly InboundWriter[],
  writer: SnapshotWriter,
): 'none' | 'some' | 'all' {
  let ended = 0
  let some = false
  for (const [shard, ring] of rings.entries()) {
    // Looked at first: what was filled before the end is then there.
    const { state } = ring
    const chunk = ring.next()
    if (chunk) {
      writer.add(shard, chunk)
      ring.release()
      inbounds[shard]!.wake()
      some = true
    } else if (state === ringStates.ended) ended++
    if (state === ringStates.overrun) {
      throw new PoolError(
        'TIDEMARK_CHECKPOINT_OVERRUN',
        `The books of shard ${shard} changed faster than their snapshot could be written. The last snapshot stays; take one on a faster disk or when fewer orders change at once.`,
        { shard },
      )
    }
  }
  if (some) return 'some'
  return ended === rings.length ? 'all' : 'none'
}
