import { TidemarkError } from '../../base/errors.js'
import { shown } from '../../base/shown.js'

/** The codes of a `CommandError`. */
export type CommandErrorCode =
  /** No command has this `type`. Remedy: Use one of [matching-rules.md](matching-rules.md). */
  | 'TIDEMARK_COMMAND_TYPE'
  /** The command has a field that its type does not know. Remedy: Correct the name; the message has the nearest one. */
  | 'TIDEMARK_FIELD_UNKNOWN'
  /** A field that the command needs is not there. Remedy: Give it. */
  | 'TIDEMARK_FIELD_MISSING'
  /** A field has a value of another type, such as a number where a text stands. Remedy: Give the type that the message names. */
  | 'TIDEMARK_FIELD_TYPE'
  /** A field has a value that it can't have, or that can't be read. Remedy: Use one of those that the message names. */
  | 'TIDEMARK_FIELD_VALUE'
  /** A number or text is below or above its limits, or a time is over. Remedy: Stay within the limits that the message names. */
  | 'TIDEMARK_FIELD_RANGE'
  /** Two fields exclude each other, such as a price on a market order. Remedy: Leave one of them out. */
  | 'TIDEMARK_FIELD_CONFLICT'
  /** A price or quantity is no multiple of `tickSize` or `lotSize`. It is never rounded. Remedy: Round it in the caller, in the direction that is meant. */
  | 'TIDEMARK_OFF_GRID'

/** A malformed command, refused before anything was written. `details` holds `field` and `value`. */
export class CommandError extends TidemarkError {
  /** The name of the class. */
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
