import type { CommandWords, Flag } from './words.js'

/** A script for zsh, by its own `_arguments`. */
export function zshScript(all: readonly CommandWords[]): string {
  return `#compdef tidemark
# Completion of tidemark for zsh: eval "$(tidemark completion zsh)" in ~/.zshrc, after compinit.
${all.map(functionOf).join('\n')}
if [ "$funcstack[1]" = "_tidemark" ]; then _tidemark "$@"; else compdef _tidemark tidemark; fi
`
}

function functionOf({ path, commands, flags, argumentChoices }: CommandWords): string {
  const name = functionName(path)
  const specs = flags.map((flag) => `    ${quoted(specOf(flag))}`)
  if (commands.length === 0) {
    const values = argumentChoices.length > 0 ? `(${argumentChoices.join(' ')})` : '_files'
    return `${name}() {
  _arguments -s \\
${[...specs, `    ${quoted(`*:argument:${values}`)}`].join(' \\\n')}
}`
  }
  const described = commands.map((one) => `    ${quoted(`${one.name}:${one.summary}`)}`)
  const cases = commands.map((one) => `        ${one.name}) ${functionName(`${path} ${one.name}`.trim())} ;;`)
  return `${name}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands
  commands=(
${described.join('\n')}
  )
  _arguments -C \\
${[...specs, "    '1:command:->command'", "    '*::argument:->argument'"].join(' \\\n')}
  case "$state" in
    command) _describe command commands ;;
    argument)
      case "$line[1]" in
${cases.join('\n')}
      esac ;;
  esac
}`
}

function functionName(path: string): string {
  return ['_tidemark', ...path.split(' ').filter(Boolean)].join('_').replaceAll('-', '_')
}

function specOf({ name, description, takesValue, choices }: Flag): string {
  const text = description.replaceAll(/[[\]\\:]/g, (character) => `\\${character}`)
  if (!takesValue) return `${name}[${text}]`
  return `${name}[${text}]:value:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
