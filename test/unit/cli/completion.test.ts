import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { bashScript } from '#tidemark/cli/completion/bash.js'
import { fishScript } from '#tidemark/cli/completion/fish.js'
import { wordsOf } from '#tidemark/cli/completion/words.js'
import { zshScript } from '#tidemark/cli/completion/zsh.js'
import { buildProgram } from '#tidemark/cli/program.js'

const words = wordsOf(await buildProgram())

/** What bash offers for command lines whose last word is being typed; one shell for all. */
function offered(lines: readonly string[]): string[][] {
  const asked = lines.map((line) => {
    const typed = line.split(' ')
    const quoted = typed.map((word) => `'${word}'`).join(' ')
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${typed.length - 1}; _tidemark; echo "\${COMPREPLY[*]}"`
  })
  const script = `${bashScript(words)}\n${asked.join('\n')}\n`
  return execFileSync('bash', { input: script, encoding: 'utf8', cwd: import.meta.dirname })
    .split('\n')
    .map((line) => line.split(' ').filter(Boolean))
}

describe('tidemark completion', () => {
  it('bash: offers commands, their commands, flags, values and files', () => {
    const [top, below, flags, choices, shell, file, value] = offered([
      'tidemark ',
      'tidemark log ver',
      'tidemark log verify ./pool --',
      'tidemark run --format lob',
      'tidemark completion ',
      'tidemark log verify completion',
      'tidemark run --dir completion',
    ])
    expect(top).toEqual(expect.arrayContaining(['run', 'log', 'serve', 'completion']))
    expect(below).toEqual(['verify'])
    expect(flags).toEqual(expect.arrayContaining(['--json', '--no-progress', '--help']))
    expect(flags).not.toContain('--symbol')
    expect(choices).toEqual(['lobster'])
    expect(shell).toEqual(['bash', 'zsh', 'fish'])
    expect(file).toEqual(['completion.test.ts'])
    expect(value).toEqual(['completion.test.ts'])
  })

  it.each([
    ['zsh', zshScript(words)],
    ['fish', fishScript(words)],
  ])('%s: names every command and every flag', (shell, script) => {
    for (const { path, commands, flags } of words) {
      for (const { name } of commands) expect(script, `${path} ${name}`).toContain(name)
      for (const { name } of flags) expect(script).toContain(shell === 'fish' ? `-l ${name.slice(2)}` : name)
    }
  })

  it('zsh: quotes what it says, so that a shell can read it', () => {
    execFileSync('bash', ['-n'], { input: zshScript(words), stdio: ['pipe', 'ignore', 'pipe'] })
  })

  it('fish: quotes what it says', () => {
    const lines = fishScript(words)
      .split('\n')
      .filter((line) => line.startsWith('complete '))
    expect(lines.length).toBeGreaterThan(100)
    for (const line of lines)
      expect(line).toMatch(
        /^complete -c tidemark -n '__tidemark_at "[\w -]*"'( -\w+| [\w-]+| "(\\.|[^"\\$])*")+$/,
      )
  })
})
