import { TidemarkError } from '../base/errors.js'

/** The codes of a `ServerError`. */
export type ServerErrorCode =
  /** Packages of the server are not installed. `details.packages` has their names. Remedy: Install them with the command that the message has. */
  | 'TIDEMARK_SERVER_PACKAGE_MISSING'
  /** The file of keys can't be read, is not valid, or others may read it. Remedy: Let only its owner read it (`chmod 600`), or restore it. See the [runbook](runbooks.md#the-key-file-is-refused). */
  | 'TIDEMARK_SERVER_KEY_FILE'
  /** No key, or more than one, begins with what was given. Remedy: Give more of it. */
  | 'TIDEMARK_SERVER_UNKNOWN_KEY'
  /** The address or port can't be listened on. Remedy: Choose another, or end what has it. */
  | 'TIDEMARK_SERVER_LISTEN'
  /** The server would be reached from elsewhere, and there is no key. Remedy: Make a key first: `tidemark serve key create`. */
  | 'TIDEMARK_SERVER_OPEN'
  /** What is to go wrong on purpose is not known, or can't be. Remedy: Correct it; the message says what is allowed. */
  | 'TIDEMARK_SERVER_FAULTS'

/** An error of the server itself; what it answers its clients are errors of the dialect. */
export class ServerError extends TidemarkError {
  override readonly name = 'ServerError'
  /** What went wrong: one of the codes of docs/errors.md. */
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
