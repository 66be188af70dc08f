import type { EventEmitter } from 'node:events'
import {
  type DurableLog,
  forwardReplication,
  type LogError,
  type LogPoisonedError,
  type ReplicationEvents,
} from '../log/index.js'
import type { Archiving } from './checkpoint/archiving.js'
import type { Checkpointer } from './checkpoint/checkpointer.js'
import type { CursorStore } from './delivery/cursors.js'
import type {
  ArchiveStall,
  CheckpointFailure,
  CheckpointOverdue,
  CursorInvalidation,
  LostReader,
  OvertakenReader,
} from './types.js'

/** The events of a pool; `EnginePool` says when each is emitted. */
export interface PoolEvents extends ReplicationEvents {
  drain: []
  error: [LogPoisonedError]
  diskFull: [LogError]
  diskReady: []
  preallocationFailed: [LogError]
  cursorInvalidated: [CursorInvalidation]
  readerLost: [LostReader]
  readerOvertaken: [OvertakenReader]
  checkpointFailed: [CheckpointFailure]
  checkpointOverdue: [CheckpointOverdue]
  archiveStalled: [ArchiveStall]
  archiveResumed: []
}

/** The parts of a pool that report something. */
interface ReportingParts {
  readonly log: DurableLog
  readonly checkpointer: Checkpointer
  readonly cursors: CursorStore
  readonly archiving: Archiving | undefined
}

/** Has a pool emit what its parts report. */
export function forwardEvents(parts: ReportingParts, pool: EventEmitter<PoolEvents>): void {
  const { log, checkpointer, cursors, archiving } = parts
  const { schedule } = checkpointer
  schedule.onFailed = (failure) => pool.emit('checkpointFailed', failure)
  schedule.onOverdue = (overdue) => pool.emit('checkpointOverdue', overdue)
  if (archiving) {
    archiving.onStalled = (stall) => pool.emit('archiveStalled', stall)
    archiving.onResumed = () => pool.emit('archiveResumed')
  }
  cursors.onInvalidated = (invalidation) => pool.emit('cursorInvalidated', invalidation)
  const { outside } = cursors
  outside.onLost = (reader) => pool.emit('readerLost', reader)
  outside.onOvertaken = (reader) => pool.emit('readerOvertaken', reader)
  forwardReplication(log, pool)
  log.on('diskFull', (error) => pool.emit('diskFull', schedule.explain(error)))
  log.on('diskReady', () => {
    schedule.diskReady()
    pool.emit('diskReady')
  })
  log.on('preallocationFailed', (error) => pool.emit('preallocationFailed', error))
}
