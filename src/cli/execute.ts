import { CommanderError } from 'commander'
import { exitCodes } from './exit-codes.js'
import { exitCodeOf, sentenceOf } from './failure.js'
import { buildProgram } from './program.js'

/**
 * Runs the command line `tidemark ARGUMENTS`. Sets the exit code of the process; what fails is one sentence on standard
 * error. Never rejects.
 */
export async function execute(args: readonly string[]): Promise<void> {
  try {
    await (await buildProgram(args)).parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    } else {
      process.stderr.write(`${sentenceOf(error)}\n`)
      process.exitCode = exitCodeOf(error)
    }
  }
}
