import { TidemarkError } from '../base/errors.js'

export type ClientErrorCode =
  | 'TIDEMARK_CLIENT_OPTION'
  | 'TIDEMARK_CLIENT_PACKAGE_MISSING'
  | 'TIDEMARK_CLIENT_CLOSED'
  | 'TIDEMARK_CLIENT_REFUSED'
  | 'TIDEMARK_CLIENT_NO_ANSWER'
  | 'TIDEMARK_CLIENT_OUTCOME_FORGOTTEN'
  | 'TIDEMARK_CLIENT_NOT_EXECUTED'

/** An error of a client, or what a venue refused a request with. */
export class ClientError extends TidemarkError {
  override readonly name = 'ClientError'
  declare readonly code: ClientErrorCode

  constructor(
    code: ClientErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/** A venue's refusal: `details.code` and `details.msg` are the dialect's, `details.status` that of HTTP. */
export class VenueRefusal extends ClientError {
  readonly status: number
  /** The code of the dialect, such as -2010. */
  readonly venueCode: number

  constructor(method: string, status: number, code: number, msg: string, data?: unknown) {
    super('TIDEMARK_CLIENT_REFUSED', `The venue refused ${method}: ${msg} (${code})`, {
      method,
      status,
      code,
      msg,
      ...(data !== undefined && { data }),
    })
    this.status = status
    this.venueCode = code
  }
}

/** An answer that did not come: the request may have been executed or not. The client sends it again, and throws it to none of its users. */
export class Interrupted extends Error {}

export function closedError(): ClientError {
  return new ClientError('TIDEMARK_CLIENT_CLOSED', 'The client was closed.')
}
