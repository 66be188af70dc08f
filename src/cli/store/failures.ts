import { TidemarkError } from '../../base/errors.js'
import type { StoreErrorCode } from '../../store/index.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { CliFailure } from '../failure.js'

const exitCodeOf: Readonly<Partial<Record<string, ExitCode>>> = {
  TIDEMARK_LOG_KIND: exitCodes.badInput,
  TIDEMARK_STORE_TARGET: exitCodes.badInput,
  TIDEMARK_STORE_PACKAGE_MISSING: exitCodes.badInput,
  TIDEMARK_STORE_UNREACHABLE: exitCodes.badInput,
  TIDEMARK_STORE_MISSING: exitCodes.badInput,
  TIDEMARK_STORE_SCHEMA: exitCodes.badInput,
  TIDEMARK_STORE_OTHER_LOG: exitCodes.mismatch,
  TIDEMARK_STORE_AHEAD: exitCodes.mismatch,
  TIDEMARK_STORE_LOG_GONE: exitCodes.mismatch,
  TIDEMARK_STORE_DIFFERS: exitCodes.mismatch,
  TIDEMARK_STORE_QUERY: exitCodes.usage,
} satisfies Partial<Record<StoreErrorCode | 'TIDEMARK_LOG_KIND', ExitCode>>

/** Runs a command on a store; its failures get the exit codes of the command line. */
export async function withStoreFailures<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const exitCode = error instanceof TidemarkError ? exitCodeOf[error.code] : undefined
    if (exitCode === undefined) throw error
    const { code, message, details } = error as TidemarkError
    // Without its cause: what the store says of a log says more than what the log said.
    throw new CliFailure(code as `TIDEMARK_${string}`, message, exitCode, details)
  }
}
