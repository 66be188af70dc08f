import { TidemarkError } from '../base/errors.js'

export type StoreErrorCode =
  | 'TIDEMARK_STORE_TARGET'
  | 'TIDEMARK_STORE_PACKAGE_MISSING'
  | 'TIDEMARK_STORE_UNREACHABLE'
  | 'TIDEMARK_STORE_IN_USE'
  | 'TIDEMARK_STORE_MISSING'
  | 'TIDEMARK_STORE_SCHEMA'
  | 'TIDEMARK_STORE_OTHER_LOG'
  | 'TIDEMARK_STORE_AHEAD'
  | 'TIDEMARK_STORE_LOG_GONE'
  | 'TIDEMARK_STORE_CURSOR'
  | 'TIDEMARK_STORE_DIFFERS'
  | 'TIDEMARK_STORE_WRITE'
  | 'TIDEMARK_STORE_QUERY'
  | 'TIDEMARK_STORE_ENDED'

/** An error of a store. What was stored before it stays; the log is not concerned. */
export class StoreError extends TidemarkError {
  override readonly name = 'StoreError'
  declare readonly code: StoreErrorCode

  constructor(
    code: StoreErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
  }
}

/** What a database says of a failure, in one line that can stand at the end of a sentence. */
export function reasonText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .split('\n', 1)[0]!
    .trim()
    .replace(/[.\s]+$/, '')
}
