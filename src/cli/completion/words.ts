import type { Command } from 'commander'

/** What can stand after a command. */
export interface CommandWords {
  /** The words that lead to it after `tidemark`, such as `log verify`; empty for tidemark itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  readonly flags: readonly Flag[]
  /** Words that can be its first argument; empty where that is a file. */
  readonly argumentChoices: readonly string[]
}

export interface Flag {
  /** With its hyphens: `--json`. */
  readonly name: string
  readonly description: string
  readonly takesValue: boolean
  /** The values that it can have; empty where it takes any. */
  readonly choices: readonly string[]
}

/** The words of a program: itself first, then each of its commands. */
export function wordsOf(program: Command): CommandWords[] {
  return wordsBelow(program, '')
}

function wordsBelow(command: Command, path: string): CommandWords[] {
  const help = command.createHelp()
  const flags = help
    .visibleOptions(command)
    .map(({ long, short, description, required, optional, argChoices }) => ({
      name: (long ?? short)!,
      description,
      takesValue: required || optional,
      choices: argChoices ?? [],
    }))
  const commands = help.visibleCommands(command).filter((sub) => sub.name() !== 'help')
  const words = {
    path,
    commands: commands.map((sub) => ({ name: sub.name(), summary: sub.summary() })),
    flags,
    argumentChoices: command.registeredArguments[0]?.argChoices ?? [],
  }
  return [words, ...commands.flatMap((sub) => wordsBelow(sub, `${path} ${sub.name()}`.trim()))]
}
