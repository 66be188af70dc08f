/** The job commands alone, as the command line runs them. */
import { Command } from 'commander'
import { exitCodeOf, sentenceOf } from '#tidemark/cli/failure.js'
import { registerJobs } from '#tidemark/cli/jobs/command.js'

const program = new Command('tidemark')
registerJobs(program)
try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${sentenceOf(error)}\n`)
  process.exitCode = exitCodeOf(error)
}
