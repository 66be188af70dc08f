import { TidemarkError } from '../../base/errors.js'
import { shown } from '../../base/shown.js'

export type CommandErrorCode =
  | 'TIDEMARK_COMMAND_TYPE'
  | 'TIDEMARK_FIELD_UNKNOWN'
  | 'TIDEMARK_FIELD_MISSING'
  | 'TIDEMARK_FIELD_TYPE'
  | 'TIDEMARK_FIELD_VALUE'
  | 'TIDEMARK_FIELD_RANGE'
  | 'TIDEMARK_FIELD_CONFLICT'
  | 'TIDEMARK_OFF_GRID'

/** A malformed command, refused before anything was written. `details` holds `field` and `value`. */
export class CommandError extends TidemarkError {
  override readonly name: string = 'CommandError'

  constructor(code: CommandErrorCode, field: string, value: unknown, message: string) {
    super(code, message, { field, value })
  }
}

export function outOfRange(field: string, value: unknown, least: number, most: number): CommandError {
  return new CommandError(
    'TIDEMARK_FIELD_RANGE',
    field,
    value,
    `${field} must be a whole number from ${least} to ${most}, not ${shown(value)}.`,
  )
}

export function conflict(field: string, value: unknown, message: string): CommandError {
  return new CommandError('TIDEMARK_FIELD_CONFLICT', field, value, message)
}
