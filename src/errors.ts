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
