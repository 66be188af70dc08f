import { TidemarkError } from '../base/errors.js'
import { shown } from '../base/shown.js'

/** The codes of a `FactorError`. */
export type FactorErrorCode =
  /** A number is not finite, or beyond 1e60. Nothing was changed. Remedy: Leave such ticks out, or scale the values. */
  | 'TIDEMARK_BAD_VALUE'
  /** A field of a tick is missing, of another type, or out of its range. No factor was changed. Remedy: Correct it; `details.field` names it. */
  | 'TIDEMARK_BAD_TICK'
  /** A parameter of an operator is not allowed, such as a window of 0. Remedy: Use what the message names. */
  | 'TIDEMARK_BAD_PARAMETER'
  /** A state that is restored was not saved by this operator, engine or build. Remedy: Restore it with what saved it. */
  | 'TIDEMARK_BAD_STATE'
  /** A name of a factor, instrument or checkpoint has characters or a length that it can't have. Remedy: Use a letter, then up to 127 letters, digits and underscores. */
  | 'TIDEMARK_BAD_NAME'
  /** An expression can't be read, or names an operator that there is not. `details.at` is the place. Remedy: Correct it; [factors.md](factors.md) lists the operators. */
  | 'TIDEMARK_BAD_EXPRESSION'
  /** No factor or field has this name, or a factor with several outputs was asked for without one. Remedy: Register it first, or name the output. */
  | 'TIDEMARK_UNKNOWN_FACTOR'
  /** No factor is registered for this instrument, or the log holds nothing of it. Remedy: Register one first; check the name. */
  | 'TIDEMARK_UNKNOWN_INSTRUMENT'
  /** A factor or field has this name already. Remedy: Choose another name. */
  | 'TIDEMARK_DUPLICATE_FACTOR'
  /** Factors refer to each other in a circle. `details.cycle` has the names. Remedy: Break the circle. */
  | 'TIDEMARK_FACTOR_CYCLE'
  /** As many ticks wait for the disk, or for a worker, as the channel holds. Nothing was taken. Remedy: Await `ready()` and send again. */
  | 'TIDEMARK_CHANNEL_FULL'
  /** The channel was full, and a newer message of the same instrument took the place of this one (`whenFull: 'latest'`). Remedy: Nothing; or choose another `whenFull`. */
  | 'TIDEMARK_SUPERSEDED'
  /** The persister or pool of factors was closed before the call. Remedy: Open it again. */
  | 'TIDEMARK_PERSISTER_CLOSED'
  /** A tick with its values, or a definition, does not fit into one record. Nothing was taken. Remedy: Register fewer factors for an instrument, or raise `maxBatchBytes`. */
  | 'TIDEMARK_VECTOR_TOO_LARGE'
  /** A record of the log is no batch of factors, or names a series that nothing before it defines. Remedy: Read from a snapshot or from the beginning; restore the folder from a copy. */
  | 'TIDEMARK_FACTOR_LOG_CORRUPT'
  /** A snapshot of factors is damaged, or is not of this log. Remedy: Move it away: recovery takes an older one and replays more. */
  | 'TIDEMARK_SNAPSHOT_CORRUPT'
  /** A snapshot could not be written or read, or there is no place for one. Remedy: Mend what `cause` says, or give the persister a store. */
  | 'TIDEMARK_SNAPSHOT_IO'
  /** A replayed tick gives another value than the log holds. Remedy: Open the folder with the build that wrote it. */
  | 'TIDEMARK_REPLAY_DIFFERS'
  /** The log can no longer be read where the listeners of updates are, so they were removed. Remedy: Read what they missed with `history()`, and call `onUpdate` again. */
  | 'TIDEMARK_UPDATES_ENDED'

/** An error of the factors. */
export class FactorError extends TidemarkError {
  override readonly name = 'FactorError'
  /** What went wrong: one of the codes of docs/errors.md. */
  declare readonly code: FactorErrorCode

  constructor(
    code: FactorErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/** A number that no operator takes; `what` names it. */
export function badValue(what: string, value: unknown): FactorError {
  return new FactorError(
    'TIDEMARK_BAD_VALUE',
    `${what} is ${shown(value)}; use a finite number between -1e60 and 1e60. Nothing was changed.`,
    { what, value },
  )
}

export function badParameter(
  operator: string,
  parameter: string,
  value: unknown,
  allowed: string,
): FactorError {
  return new FactorError(
    'TIDEMARK_BAD_PARAMETER',
    `${parameter} of ${operator} is ${shown(value)}; use ${allowed}.`,
    { operator, parameter, value },
  )
}
