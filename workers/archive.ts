import { archiveLog } from '../src/archive/write/archiver.js'
import { lowerPriority } from '../src/base/low-priority.js'
import { toErrorMessage } from '../src/log/errors.js'
import type { ArchiveOutcome, ArchiveTask } from '../src/pool/checkpoint/archive-task.js'

export default async function archive({ log, archive, stop }: ArchiveTask): Promise<ArchiveOutcome> {
  lowerPriority(false)
  const words = new Int32Array(stop)
  try {
    const stopped = () => Atomics.load(words, 0) !== 0
    const { endLsn } = await archiveLog({ log, archive, kind: 'pool', stopped })
    return { archivedLsn: endLsn }
  } catch (error) {
    return { error: toErrorMessage(error) }
  }
}
