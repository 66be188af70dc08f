import type { CommandWords } from './words.js'

/** A script for bash 3.2 and later. */
export function bashScript(all: readonly CommandWords[]): string {
  const paths = all.filter(({ path }) => path !== '').map(({ path }) => path)
  const values = all.flatMap(({ path, flags }) =>
    flags
      .filter(({ choices }) => choices.length > 0)
      .map(({ name, choices }) => `    '${path} ${name}') words='${choices.join(' ')}' ;;`),
  )
  const free = new Set(
    all
      .flatMap(({ flags }) => flags.filter((flag) => flag.takesValue && flag.choices.length === 0))
      .map(({ name }) => name),
  )
  const words = all.map(({ path, commands, flags, argumentChoices }) => {
    const names = [...commands.map(({ name }) => name), ...argumentChoices]
    return `    '${path}') words='${names.join(' ')}' flags='${flags.map(({ name }) => name).join(' ')}' ;;`
  })
  return `# Completion of tidemark for bash: eval "$(tidemark completion bash)" in ~/.bashrc
_tidemark() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" path='' words='' flags='' next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in
      ${paths.map((path) => `'${path}'`).join(' | ')}) path="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$path $before" in
${values.join('\n')}
  esac
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  case "$before" in
    ${[...free].join(' | ')}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case "$path" in
${words.join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi ;;
  esac
}
complete -o filenames -o bashdefault -F _tidemark tidemark
`
}
