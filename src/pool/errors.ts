import { TidemarkError, withoutStack } from '../base/errors.js'
import { shown } from '../base/shown.js'

/** The codes of a `PoolError`. */
export type PoolErrorCode =
  /** The pool was closed before the call. Remedy: Open it again. */
  | 'TIDEMARK_POOL_CLOSED'
  /** More commands than `maxInFlight`, or more questions than `maxQuestions`, wait already. Nothing of the call was taken. Remedy: Wait for `drain`, or for an answer, and call again. See [backpressure.md](backpressure.md). */
  | 'TIDEMARK_BACKPRESSURE'
  /** A batch has more commands than `maxInFlight`, or more bytes than the queue of a shard. Nothing was taken. Remedy: Split it, or raise `maxInFlight`. */
  | 'TIDEMARK_BATCH_TOO_LARGE'
  /** No instrument has this symbol. Remedy: Add it with `addInstrument`, or correct the symbol. */
  | 'TIDEMARK_UNKNOWN_SYMBOL'
  /** An instrument has this symbol already. Remedy: Use `changeInstrument`, or another symbol. */
  | 'TIDEMARK_DUPLICATE_SYMBOL'
  /** The option `instruments` gives a symbol another grid or rule than it has in the log. `details` has `field` and both values. Remedy: Open with what the log has; those fields of an instrument never change. */
  | 'TIDEMARK_INSTRUMENT_DIFFERS'
  /** An argument of a call has a shape or value that it can't have. `details` has it. Remedy: Correct it; the message says what is allowed. */
  | 'TIDEMARK_BAD_ARGUMENT'
  /** No cursor has this name. Remedy: `cursors()` and `readers()` list those that exist. */
  | 'TIDEMARK_UNKNOWN_CURSOR'
  /** The cursor is held by a subscription that is open. Remedy: Close that subscription first. */
  | 'TIDEMARK_CURSOR_IN_USE'
  /** A subscription says `from`, and its cursor has a place already (`details.lsn`). Remedy: Leave `from` out to continue, or drop the cursor first. */
  | 'TIDEMARK_CURSOR_EXISTS'
  /** Log that the cursor needs was deleted, or the log ends before it. Remedy: Drop it, bring the consumer up to date from its source, and begin anew; raise `cursorKeepBytes`. See the [runbook](runbooks.md#a-reader-is-lost). */
  | 'TIDEMARK_CURSOR_INVALIDATED'
  /** The file of the cursor can't be read. Only this cursor is concerned. Remedy: Drop it, and begin `from` an LSN that the consumer has stored. */
  | 'TIDEMARK_CURSOR_DAMAGED'
  /** The LSN is not the end of a record that was delivered whole. Remedy: Acknowledge `event.lsn` of an event after all events of its record, or call `acknowledge()` without an LSN. */
  | 'TIDEMARK_BAD_ACKNOWLEDGEMENT'
  /** The subscription is closed and no longer has its cursor. Remedy: Subscribe again. */
  | 'TIDEMARK_SUBSCRIPTION_CLOSED'
  /** Segments are deleted faster than the backup copies them. Remedy: Keep more log (`keepLogBytes`), or copy onto a faster disk. */
  | 'TIDEMARK_BACKUP_OVERTAKEN'
  /** The books of a shard changed faster than their snapshot could be written. The last snapshot stays, and the checkpoint is tried again. Remedy: Take checkpoints on a faster disk, or when fewer orders change at once. */
  | 'TIDEMARK_CHECKPOINT_OVERRUN'
  /** A shard could not answer a question, for want of memory. The pool continues. Remedy: Ask again, for less. */
  | 'TIDEMARK_QUESTION_FAILED'
  /** The accounts of this pool are in a ledger, which is not open. Remedy: Open it with `Ledger.open`; then orders are taken. */
  | 'TIDEMARK_LEDGER_NOT_OPEN'

/** An error of the engine pool: nothing of the call that got it was logged. */
export class PoolError extends TidemarkError {
  override readonly name = 'PoolError'
  /** What went wrong: one of the codes of docs/errors.md. */
  declare readonly code: PoolErrorCode

  constructor(
    code: PoolErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

export function poolClosed(): PoolError {
  return new PoolError('TIDEMARK_POOL_CLOSED', 'The pool is closed. Open it again to continue.')
}

export function unknownSymbol(symbol: unknown): PoolError {
  return new PoolError(
    'TIDEMARK_UNKNOWN_SYMBOL',
    `There is no instrument ${shown(symbol)}; add it with addInstrument first.`,
    { symbol },
  )
}

/** A refusal for now; `advice` completes the sentence "The pool takes nothing more now: …". It has no stack frames. */
export function backpressure(
  reason: string,
  details: Record<string, unknown>,
  advice = 'Wait for the drain event.',
): PoolError {
  return withoutStack(
    () =>
      new PoolError(
        'TIDEMARK_BACKPRESSURE',
        `The pool takes nothing more now: ${reason}. ${advice}`,
        details,
      ),
  )
}

/** Why one question got no answer, a copy for a checkpoint among them; the shard and the pool continue. */
export function questionFailed(shard: number, cause: Error): PoolError {
  return new PoolError(
    'TIDEMARK_QUESTION_FAILED',
    `Shard ${shard} could not answer: ${cause.message} The pool continues; ask again, for less if memory is short.`,
    { shard },
    { cause },
  )
}
