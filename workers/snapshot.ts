import {
  type SnapshotOutcome,
  type SnapshotTask,
  writeSnapshot,
} from '../src/pool/checkpoint/snapshot-thread.js'

/** Writes one snapshot. */
export default function snapshot(task: SnapshotTask): Promise<SnapshotOutcome> {
  return writeSnapshot(task)
}
