import { TidemarkError } from '../base/errors.js'
import { shown } from '../base/shown.js'

export type FactorErrorCode =
  | 'TIDEMARK_BAD_VALUE'
  | 'TIDEMARK_BAD_TICK'
  | 'TIDEMARK_BAD_PARAMETER'
  | 'TIDEMARK_BAD_STATE'
  | 'TIDEMARK_BAD_NAME'
  | 'TIDEMARK_BAD_EXPRESSION'
  | 'TIDEMARK_UNKNOWN_FACTOR'
  | 'TIDEMARK_UNKNOWN_INSTRUMENT'
  | 'TIDEMARK_DUPLICATE_FACTOR'
  | 'TIDEMARK_FACTOR_CYCLE'
  | 'TIDEMARK_CHANNEL_FULL'
  | 'TIDEMARK_SUPERSEDED'
  | 'TIDEMARK_PERSISTER_CLOSED'
  | 'TIDEMARK_VECTOR_TOO_LARGE'
  | 'TIDEMARK_FACTOR_LOG_CORRUPT'
  | 'TIDEMARK_SNAPSHOT_CORRUPT'
  | 'TIDEMARK_SNAPSHOT_IO'
  | 'TIDEMARK_REPLAY_DIFFERS'
  | 'TIDEMARK_UPDATES_ENDED'

/** An error of the factors. */
export class FactorError extends TidemarkError {
  override readonly name = 'FactorError'
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
