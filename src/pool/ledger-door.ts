import type { Clock } from '../base/clock.js'
import type { DurableLog } from '../log/index.js'
import type { Checkpointer } from './checkpoint/checkpointer.js'
import type { Publisher } from './delivery/publisher.js'
import type { InstrumentRegistry } from './instruments.js'
import type { Intake } from './intake/intake.js'

/** Key under which a ledger reaches what it needs of a pool. @internal */
export const ledgerDoor = Symbol('ledger door')

/** What a ledger needs of a pool. */
export interface LedgerDoor {
  readonly clock: Clock
  readonly log: DurableLog
  readonly registry: InstrumentRegistry
  readonly shards: number
  readonly intake: Pick<Intake, 'guard' | 'idle'>
  readonly publisher: Pick<Publisher, 'observer' | 'publishedLsn'>
  readonly checkpointer: Pick<Checkpointer, 'ledger'>
  /** Why the pool takes nothing any more; undefined while it is usable. */
  readonly refusal: () => Error | undefined
}
