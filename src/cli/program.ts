import { readFileSync } from 'node:fs'
import { Command } from 'commander'

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** The commands in the order of the help, by who registers them: loading all takes half a second, loading one a part of it. */
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
]

/** The program with the command that the arguments name, or with all of them. */
export async function buildProgram(args: readonly string[] = []): Promise<Command> {
  const program = new Command('tidemark')
  program
    .description('A durable matching-engine pool: not one acknowledgement that is not on disk.')
    .version(version)
    .showSuggestionAfterError(false)
    // Before the commands are added, which take it over, and hand it on to theirs.
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneSentence(text)) })
  const named = registrations.filter(({ names }) => names.includes(args[0] ?? ''))
  for (const { load } of named.length > 0 ? named : registrations) (await load())(program)
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
