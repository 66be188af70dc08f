import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { exampleHelp } from './examples.js'

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/**
 * The commands in the order of the help. A command loads only its own modules: loading those of all commands takes half a
 * second of processor time.
 */
const registrations: readonly {
  readonly names: readonly string[]
  readonly load: () => Promise<(program: Command) => void>
}[] = [
  { names: ['run'], load: async () => (await import('./run/command.js')).addRunCommand },
  { names: ['factors'], load: async () => (await import('./factors/command.js')).registerFactors },
  { names: ['jobs'], load: async () => (await import('./jobs/command.js')).registerJobs },
  { names: ['log'], load: async () => (await import('./log/command.js')).registerLog },
  { names: ['archive'], load: async () => (await import('./archive/command.js')).registerArchive },
  { names: ['store'], load: async () => (await import('./store/command.js')).registerStore },
  {
    names: ['standby', 'promote', 'replication'],
    load: async () => (await import('./standby/command.js')).registerReplication,
  },
  { names: ['serve'], load: async () => (await import('./serve/command.js')).registerServe },
  { names: ['bench'], load: async () => (await import('./bench/command.js')).registerBench },
  {
    names: ['completion'],
    load: async () => {
      const { registerCompletion } = await import('./completion/command.js')
      return (program) => registerCompletion(program, () => buildProgram())
    },
  },
]
/** What needs no command at all. */
const versionFlags = ['--version', '-V']

/** The program with the command that the arguments name, or with all of them. */
export async function buildProgram(args: readonly string[] = []): Promise<Command> {
  const program = new Command('tidemark')
  program
    .description('A durable matching-engine pool: not one acknowledgement that is not on disk.')
    .version(version)
    .showSuggestionAfterError(false)
    // Before the commands are added, which take it over, and hand it on to theirs.
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput({ outputError: (text, write) => write(oneSentence(text)) })
  if (versionFlags.includes(args[0] ?? '')) return program
  const named = registrations.filter(({ names }) => names.includes(args[0] ?? ''))
  for (const { load } of named.length > 0 ? named : registrations) (await load())(program)
  for (const command of program.commands) addExamples(command, command.name())
  return program
}

function addExamples(command: Command, name: string): void {
  command.addHelpText('after', exampleHelp(name))
  for (const sub of command.commands) addExamples(sub, `${name} ${sub.name()}`)
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
