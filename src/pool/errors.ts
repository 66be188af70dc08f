import { TidemarkError, withoutStack } from '../base/errors.js'
import { shown } from '../base/shown.js'

export type PoolErrorCode =
  | 'TIDEMARK_POOL_CLOSED'
  | 'TIDEMARK_BACKPRESSURE'
  | 'TIDEMARK_BATCH_TOO_LARGE'
  | 'TIDEMARK_UNKNOWN_SYMBOL'
  | 'TIDEMARK_DUPLICATE_SYMBOL'
  | 'TIDEMARK_INSTRUMENT_DIFFERS'
  | 'TIDEMARK_BAD_ARGUMENT'
  | 'TIDEMARK_UNKNOWN_CURSOR'
  | 'TIDEMARK_CURSOR_IN_USE'
  | 'TIDEMARK_CURSOR_EXISTS'
  | 'TIDEMARK_CURSOR_INVALIDATED'
  | 'TIDEMARK_CURSOR_DAMAGED'
  | 'TIDEMARK_BAD_ACKNOWLEDGEMENT'
  | 'TIDEMARK_SUBSCRIPTION_CLOSED'
  | 'TIDEMARK_BACKUP_OVERTAKEN'
  | 'TIDEMARK_CHECKPOINT_OVERRUN'
  | 'TIDEMARK_QUESTION_FAILED'
  | 'TIDEMARK_LEDGER_NOT_OPEN'

/** An error of the engine pool: nothing of the call that got it was logged. */
export class PoolError extends TidemarkError {
  override readonly name = 'PoolError'
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
