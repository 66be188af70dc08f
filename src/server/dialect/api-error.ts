/** What a request of a client is refused with: a code and a message of the dialect, and the status of the answer. */
export class ApiError extends Error {
  readonly code: number
  readonly status: number
  readonly data: object | undefined
  /** Seconds after which the client may try again. */
  readonly retryAfter: number | undefined

  constructor(code: number, message: string, status = 400, data?: object, retryAfter?: number) {
    super(message)
    this.code = code
    this.status = status
    this.data = data
    this.retryAfter = retryAfter
  }

  toBody(): object {
    return this.data === undefined
      ? { code: this.code, msg: this.message }
      : { code: this.code, msg: this.message, data: this.data }
  }
}

/** The code of what went wrong inside. */
export const unknownCode = -1000

export const errors = {
  unknown: () => new ApiError(unknownCode, 'An unknown error occurred while processing the request.', 500),
  busy: () =>
    new ApiError(
      -1008,
      'Server is currently overloaded with other requests. Please try again in a few minutes.',
      503,
    ),
  indeterminate: () =>
    new ApiError(
      -1006,
      'An unexpected response was received from the message bus. Execution status unknown.',
      500,
    ),
  closing: () => new ApiError(-1016, 'This service is no longer available.', 503),
  unsupported: (what: string) => new ApiError(-1020, `This operation is not supported: ${what}.`),
  missing: (name: string) =>
    new ApiError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`),
  missingOneOf: (a: string, b: string) =>
    new ApiError(-1102, `Param '${a}' or '${b}' must be sent, but both were empty/null!`),
  malformed: (name: string, range: string) =>
    new ApiError(-1100, `Illegal characters found in parameter '${name}'; legal range is '${range}'.`),
  tooManyParameters: (read: number, sent: number) =>
    new ApiError(
      -1104,
      `Not all sent parameters were read; read '${read}' parameter(s) but was sent '${sent}'.`,
    ),
  duplicate: () => new ApiError(-1101, 'Duplicate values for a parameter detected.'),
  notRequired: (name: string) => new ApiError(-1106, `Parameter '${name}' sent when not required.`),
  badValue: (name: string) => new ApiError(-1130, `Data sent for parameter '${name}' is not valid.`),
  badCombination: () => new ApiError(-1128, 'Combination of optional parameters invalid.'),
  longSpan: () => new ApiError(-1127, 'More than 24 hours between startTime and endTime.'),
  tooPrecise: (name: string) => new ApiError(-1111, `Parameter '${name}' has too much precision.`),
  badStrategyType: () => new ApiError(-1134, 'strategyType was less than 1000000.'),
  badSymbol: () => new ApiError(-1121, 'Invalid symbol.'),
  badInterval: () => new ApiError(-1120, 'Invalid interval.'),
  badOrderType: () => new ApiError(-1116, 'Invalid orderType.'),
  badSide: () => new ApiError(-1117, 'Invalid side.'),
  badTimeInForce: () => new ApiError(-1115, 'Invalid timeInForce.'),
  timeInForceNotRequired: () => new ApiError(-1106, "Parameter 'timeInForce' sent when not required."),
  filter: (name: string) => new ApiError(-1013, `Filter failure: ${name}`),
  rejected: (message: string) => new ApiError(-2010, message),
  cancelRejected: (message: string) => new ApiError(-2011, message),
  noSuchOrder: () => new ApiError(-2013, 'Order does not exist.'),
  keyFormat: () => new ApiError(-2014, 'API-key format invalid.', 401),
  badKey: () => new ApiError(-2015, 'Invalid API-key, IP, or permissions for action.', 401),
  badSignature: () => new ApiError(-1022, 'Signature for this request is not valid.'),
  late: () => new ApiError(-1021, 'Timestamp for this request is outside of the recvWindow.'),
  early: () => new ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time."),
}
