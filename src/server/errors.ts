import { TidemarkError } from '../base/errors.js'

export type ServerErrorCode =
  | 'TIDEMARK_SERVER_PACKAGE_MISSING'
  | 'TIDEMARK_SERVER_KEY_FILE'
  | 'TIDEMARK_SERVER_UNKNOWN_KEY'
  | 'TIDEMARK_SERVER_LISTEN'
  | 'TIDEMARK_SERVER_OPEN'

/** An error of the server itself; what it answers its clients are errors of the dialect. */
export class ServerError extends TidemarkError {
  override readonly name = 'ServerError'
  declare readonly code: ServerErrorCode

  constructor(
    code: ServerErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}
