import { Argument, type Command } from 'commander'
import { exitCodeHelp, exitCodes } from '../exit-codes.js'
import { bashScript } from './bash.js'
import { fishScript } from './fish.js'
import { wordsOf } from './words.js'
import { zshScript } from './zsh.js'

const exitCodeTable = exitCodeHelp([
  [exitCodes.ok, 'the script was printed'],
  [exitCodes.usage, 'bad usage: another shell'],
])

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** Adds `tidemark completion`. `whole` makes the program with all commands. */
export function registerCompletion(program: Command, whole: () => Promise<Command>): void {
  program
    .command('completion')
    .summary('print what makes a shell complete commands and flags')
    .description(
      'Prints a script for SHELL that completes the commands of tidemark, their flags and their values.',
    )
    .addArgument(new Argument('<SHELL>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText('after', exitCodeTable)
    .action(async (shell: keyof typeof scripts) => {
      process.stdout.write(scripts[shell](wordsOf(await whole())))
    })
}
