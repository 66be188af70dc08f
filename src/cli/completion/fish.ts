import type { CommandWords } from './words.js'

/** A script for fish. */
export function fishScript(all: readonly CommandWords[]): string {
  const paths = all.map(({ path }) => path).filter((path) => path !== '')
  const lines = all.flatMap(({ path, commands, flags, argumentChoices }) => {
    const here = `complete -c tidemark -n '__tidemark_at ${quoted(path)}'`
    return [
      ...commands.map(({ name, summary }) => `${here} -f -a ${name} -d ${quoted(summary)}`),
      ...argumentChoices.map((choice) => `${here} -f -a ${choice}`),
      ...flags.map(({ name, description, takesValue, choices }) => {
        const value = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r -F' : ''
        return `${here} ${optionOf(name)}${value} -d ${quoted(description)}`
      }),
    ]
  })
  return `# Completion of tidemark for fish: tidemark completion fish > ~/.config/fish/completions/tidemark.fish
function __tidemark_at
    set -l path
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$path $word")
        if contains -- "$next" ${paths.map(quoted).join(' ')}
            set path $next
        end
    end
    test "$path" = "$argv[1]"
end
${lines.join('\n')}
`
}

function optionOf(name: string): string {
  return name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\$]/g, (character) => `\\${character}`)}"`
}
