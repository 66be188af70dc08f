/**
 * The base of every error that tidemark raises on purpose. `code` is stable and made for programs, `message` is one
 * sentence made for people, and the values that matter are in `details`.
 */
export class TidemarkError extends Error {
  override readonly name: string = 'TidemarkError'
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: `TIDEMARK_${string}`,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/**
 * Makes an error without stack frames. Taking them costs ten times what an accepted command does, and refusals for want
 * of room come in thousands from a caller that does not wait.
 */
export function withoutStack<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error
  // A set that fails, where the application froze Error, only leaves the frames in.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    return make()
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  }
}
