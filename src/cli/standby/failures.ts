import { TidemarkError } from '../../base/errors.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { CliFailure } from '../failure.js'

const exitCodeOf: Readonly<Partial<Record<string, ExitCode>>> = {
  TIDEMARK_LOG_KIND: exitCodes.badInput,
  TIDEMARK_REPLICATION_PACKAGE_MISSING: exitCodes.badInput,
  TIDEMARK_REPLICATION_DENIED: exitCodes.badInput,
  TIDEMARK_STANDBY_BEHIND: exitCodes.mismatch,
  TIDEMARK_LOG_DIVERGED: exitCodes.mismatch,
  TIDEMARK_RULES_DIFFER: exitCodes.mismatch,
  TIDEMARK_REPLAY_DIFFERS: exitCodes.mismatch,
}

/** An error as the command line reports it, with its exit code. */
export function standbyFailure(error: unknown): unknown {
  const exitCode = error instanceof TidemarkError ? exitCodeOf[error.code] : undefined
  if (exitCode === undefined) return error
  const { code, message, details } = error as TidemarkError
  return new CliFailure(code as `TIDEMARK_${string}`, message, exitCode, details)
}

export async function withStandbyFailures<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw standbyFailure(error)
  }
}
