import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { registerArchive } from './archive/command.js'
import { registerBench } from './bench/command.js'
import { registerFactors } from './factors/command.js'
import { registerJobs } from './jobs/command.js'
import { registerLog } from './log/command.js'
import { addRunCommand } from './run/command.js'
import { registerServe } from './serve/command.js'
import { registerReplication } from './standby/command.js'
import { registerStore } from './store/command.js'

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Every command of `tidemark`, each from its own file. */
export function buildProgram(): Command {
  const program = new Command('tidemark')
  program
    .description('A durable matching-engine pool: not one acknowledgement that is not on disk.')
    .version(version)
    .showSuggestionAfterError(false)
    // Before the commands are added, which take it over, and hand it on to theirs.
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneSentence(text)) })
  addRunCommand(program)
  registerFactors(program)
  registerJobs(program)
  registerLog(program)
  registerArchive(program)
  registerStore(program)
  registerReplication(program)
  registerServe(program)
  registerBench(program)
  return program
}

/** Commander's complaint as one sentence: "error: unknown option '--x'" becomes "Unknown option '--x'." */
function oneSentence(text: string): string {
  const sentence = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
    .replace(/\. ([A-Z])/g, (_, letter: string) => `; ${letter.toLowerCase()}`)
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${/[.!?]$/.test(sentence) ? '' : '.'}\n`
}
