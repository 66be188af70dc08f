import { TidemarkError } from '../base/errors.js'

/** The codes of a `ClientError`. */
export type ClientErrorCode =
  /** An option or argument is not known, or its value is not allowed. Remedy: Correct it; the message says what is allowed. */
  | 'TIDEMARK_CLIENT_OPTION'
  /** There is no class for WebSockets. Remedy: `npm install ws@8`, or use Node.js 22. */
  | 'TIDEMARK_CLIENT_PACKAGE_MISSING'
  /** The client was closed, so the call was not made or its answer does not come. Remedy: Make another client; what was sent may have been executed. */
  | 'TIDEMARK_CLIENT_CLOSED'
  /** The venue refused the request. `details.code` and `details.msg` are the dialect's. Remedy: Do what the code of the dialect says. */
  | 'TIDEMARK_CLIENT_REFUSED'
  /** No answer came in time; whether the request was executed is not known. Remedy: Send the order again with the same `requestId` and `newClientOrderId`, or ask for it. */
  | 'TIDEMARK_CLIENT_NO_ANSWER'
  /** The order was executed, and the venue keeps its outcome no more. Remedy: Ask for the order by its client order id. */
  | 'TIDEMARK_CLIENT_OUTCOME_FORGOTTEN'
  /** The order was not executed: a higher `requestId`, or another order with this one, was. Remedy: Send it with the next `requestId`. */
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
  /** The status of HTTP. */
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
