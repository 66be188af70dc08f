/** The codes that every part can raise. */
type BaseErrorCode =
  /** Something that must hold inside tidemark does not. Where a log is concerned, nothing is acknowledged any more. Remedy: Report it with the message: it is a bug, or broken memory. Then open again. */
  | 'TIDEMARK_INVARIANT'
  /** A worker thread's file is not there, most often because tidemark was bundled. Remedy: Leave tidemark out of the bundle: [bundling.md](bundling.md). */
  | 'TIDEMARK_FILES_MISSING'

/**
 * The base of every error that tidemark raises on purpose. `code` is stable and made for programs, `message` is one
 * sentence made for people, and the values that matter are in `details`.
 */
export class TidemarkError extends Error {
  /** The name of the class, as it stands before the message in a stack trace. */
  override readonly name: string = 'TidemarkError'
  /** Stable and made for programs: one of the codes of docs/errors.md. */
  readonly code: string
  /** The values that the message speaks of, by name. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: BaseErrorCode | `TIDEMARK_${string}`,
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
