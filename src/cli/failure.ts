import { reasonOf } from '../base/errno.js'
import { TidemarkError } from '../base/errors.js'
import { type ExitCode, exitCodes } from './exit-codes.js'

/** The codes that the command line alone has; what it calls has codes of its own. */
type CliErrorCode =
  /** A flag, an argument or a combination of them is not known or not allowed. Remedy: Correct it; `--help` shows what there is. */
  | 'TIDEMARK_BAD_USAGE'
  /** An input file can't be opened or read, or is not of its format. Remedy: Check its path and `--format`. */
  | 'TIDEMARK_BAD_INPUT'
  /** A line of the input is no JSON object. It is refused and counted. Remedy: Correct the line that the message names. */
  | 'TIDEMARK_BAD_JSON'
  /** A line of the input is longer than one may be. It is refused and counted. Remedy: Shorten it. */
  | 'TIDEMARK_LINE_TOO_LONG'
  /** A number of the input has more digits than a JSON number keeps. The line is refused and counted. Remedy: Write it as a text, in quotation marks. */
  | 'TIDEMARK_INEXACT_NUMBER'
  /** A row of a LOBSTER file has not its six columns. It is refused and counted. Remedy: Correct the row that the message names. */
  | 'TIDEMARK_BAD_ROW'
  /** A file or folder of the caller's could not be written. Remedy: Mend what the message says, such as rights or room. */
  | 'TIDEMARK_OUTPUT'
  /** `--resume` needs the log from LSN 0 on, and its beginning was deleted. Remedy: Begin in a new folder. */
  | 'TIDEMARK_RESUME_TRIMMED'
  /** `--resume` found that the log is not one of this input: `details` has the place. Remedy: Give the input that the log was made from, or a new folder. */
  | 'TIDEMARK_RESUME_DIFFERS'
  /** No repair can mend the log, because what is missing is not in it. Remedy: Restore a backup; `tidemark log salvage` shows what can still be read. */
  | 'TIDEMARK_NOT_REPAIRABLE'
  /** A standby refused a promotion, and gave no code. Remedy: Look at the message, and at the output of the standby. */
  | 'TIDEMARK_STANDBY'

/** A failure that the command line has words for: one sentence, and the exit code that it ends with. */
export class CliFailure extends TidemarkError {
  override readonly name = 'CliFailure'
  readonly exitCode: ExitCode

  constructor(
    code: CliErrorCode | `TIDEMARK_${string}`,
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
  'TIDEMARK_SERVER_FAULTS',
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
