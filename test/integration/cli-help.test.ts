import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { buildProgram } from '#tidemark/cli/program.js'

interface Page {
  readonly name: string
  readonly command: Command
  /** All that `--help` prints, what is added after it too. */
  readonly text: string
}

function pagesOf(command: Command, above = ''): Page[] {
  const name = `${above} ${command.name()}`.trim()
  let text = ''
  command.configureOutput({ writeOut: (part) => (text += part) })
  command.outputHelp()
  return [{ name, command, text }, ...command.commands.flatMap((sub) => pagesOf(sub, name))]
}

const pages = pagesOf(await buildProgram())
const leaves = pages.filter(({ command }) => command.commands.length === 0)

/** Parses a command line as the program does, and runs nothing. */
async function parse(args: readonly string[]): Promise<void> {
  const program = await buildProgram(args)
  const disarm = (command: Command) => {
    command.hook('preAction', () => {
      throw new Error('parsed')
    })
    command.configureOutput({ writeErr: () => {} })
    command.commands.forEach(disarm)
  }
  disarm(program)
  await expect(program.parseAsync(args, { from: 'user' })).rejects.toThrow('parsed')
}
const optionsOf = (command: Command) =>
  command.options.map(({ flags, description }) => ({ flags, description }))

describe('the help', () => {
  it('of a command is the same when only that command is loaded', async () => {
    const whole = pages[0]!.command.commands.map((command) => command.name())
    expect(whole.length).toBeGreaterThan(9)
    for (const name of whole) {
      const alone = pagesOf(await buildProgram([name]))
      expect(alone.length, name).toBeLessThan(pages.length)
      const page = alone.find((found) => found.name === `tidemark ${name}`)
      expect(page?.text, name).toBe(pages.find((found) => found.name === `tidemark ${name}`)!.text)
    }
  })

  it.each(pages.slice(1))('of $name lists its exit codes', ({ text }) => {
    expect(text).toMatch(/\nExit codes:\n {2}0 {4}\w/)
    expect(text).toMatch(/^ {2}2 {4}bad usage/m)
  })

  it.each(pages.slice(1))('of $name ends with examples that can be run', async ({ name, text }) => {
    const lines = [...text.matchAll(/^ {2}(?:eval "\$\()?tidemark (.*?)\)?"?\n {6}\S/gm)].map(
      ([, line]) => line!,
    )
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      const [, ...words] = `tidemark ${line}`.replace(/ > .*/, '').match(/'[^']*'|[^ ]+/g)!
      const args = words.map((word) => word.replace(/^'(.*)'$/, '$1'))
      expect(`tidemark ${args.join(' ')}`).toContain(name)
      await parse(args)
    }
  })

  it.each(leaves)(
    'of $name offers JSON, unless nothing but JSON lines or a script is printed',
    ({ command }) => {
      const printsOnlyJson = /one JSON object a line|Prints a script/.test(command.description())
      expect(command.options.some(({ long }) => long === '--json')).toBe(!printsOnlyJson)
    },
  )

  it.each(pages.slice(1))('of $name is written as the others are', ({ command }) => {
    expect(command.summary()).toMatch(/^[a-z].*[^.]$/)
    expect(command.description()).toMatch(/^[A-Z].*\.$/s)
    for (const argument of command.registeredArguments) expect(argument.name()).toMatch(/^[A-Z]+$/)
    for (const { flags, description } of optionsOf(command)) {
      expect(description, flags).toMatch(/^[^A-Z].*[^.]$/)
      if (flags.startsWith('--no-progress')) expect(description).toBe('show no progress on standard error')
      if (flags === '--json') expect(description).toMatch(/^print one JSON object/)
    }
  })
})
