import { type SnapshotOutcome, type SnapshotTask, writeSnapshot } from '../src/pool/snapshot-thread.js'

/** Writes one snapshot. */
export default function snapshot(task: SnapshotTask): Promise<SnapshotOutcome> {
  return writeSnapshot(task)
}
