import { reasonOf } from '../base/errno.js'
import { TidemarkError } from '../base/errors.js'
import { type ExitCode, exitCodes } from './exit-codes.js'

/** A failure that the command line has words for: one sentence, and the exit code that it ends with. */
export class CliFailure extends TidemarkError {
  override readonly name = 'CliFailure'
  readonly exitCode: ExitCode

  constructor(
    code: `TIDEMARK_${string}`,
    message: string,
    exitCode: ExitCode,
    details: Record<string, unknown> = {},
    options?: ErrorOptions,
  ) {
    super(code, message, details, options)
    this.exitCode = exitCode
  }
}

export function usageFailure(message: string): CliFailure {
  return new CliFailure('TIDEMARK_BAD_USAGE', message, exitCodes.usage)
}

export function inputFailure(message: string, cause?: unknown): CliFailure {
  return new CliFailure('TIDEMARK_BAD_INPUT', message, exitCodes.badInput, {}, { cause })
}

/** A failure to write a file or folder of the caller's. */
export function outputFailure(action: string, path: string, cause: unknown): CliFailure {
  return new CliFailure(
    'TIDEMARK_OUTPUT',
    `Could not ${action} ${path}: ${reasonOf(cause)}.`,
    exitCodes.failed,
    { path },
    { cause },
  )
}

/**
 * An error in one sentence: of a chain the innermost that tidemark itself raised, because that one names the file, the
 * value or the place.
 */
export function sentenceOf(error: unknown): string {
  let innermost = error
  while (innermost instanceof TidemarkError && innermost.cause instanceof TidemarkError)
    innermost = innermost.cause
  const text = firstLine(innermost instanceof Error ? innermost.message : String(innermost)).trim()
  if (text === '') return 'An unknown error occurred.'
  return /[.!?]$/.test(text) ? text : `${text}.`
}

const usageCodes = new Set([
  'TIDEMARK_ARCHIVE_QUERY',
  'TIDEMARK_BAD_SETTING',
  'TIDEMARK_BAD_USAGE',
  'TIDEMARK_BAD_EXPRESSION',
  'TIDEMARK_BAD_NAME',
  'TIDEMARK_BAD_PARAMETER',
  'TIDEMARK_DUPLICATE_FACTOR',
  'TIDEMARK_FACTOR_CYCLE',
  'TIDEMARK_UNKNOWN_FACTOR',
])

const badInputCodes = new Set([
  'TIDEMARK_ARCHIVE_MISSING',
  'TIDEMARK_ARCHIVE_OTHER_LOG',
  'TIDEMARK_ARCHIVE_GAP',
  'TIDEMARK_ARCHIVE_FORMAT',
])

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliFailure) return error.exitCode
  if (error instanceof TidemarkError && badInputCodes.has(error.code)) return exitCodes.badInput
  if (error instanceof TidemarkError && usageCodes.has(error.code)) return exitCodes.usage
  return exitCodes.failed
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!
}
