import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/run-script.js'

/** One word for one thing: what each of these was replaced with. Identifiers count, part by part. */
const replaced: readonly { readonly say: string; readonly not: readonly string[] }[] = [
  { say: 'sync marker', not: ['mark frame', 'mark frames'] },
  { say: 'tailer (a follower is a replica)', not: ['follower', 'followers'] },
  {
    say: 'preallocator, preallocated segment',
    not: ['preparer', 'preparers', 'spare segment', 'spare segments', 'spares'],
  },
  { say: 'valid, corrupt', not: ['sound', 'unsound'] },
  { say: 'report, notify, emit, call', not: ['tell', 'tells', 'told', 'telling'] },
  {
    say: 'released, requeued, returned',
    not: ['given back', 'give back', 'gives back', 'gave back', 'giving back'],
  },
  { say: 'book side, indexed levels', not: ['ladder', 'ladders', 'frontier', 'frontiers'] },
  { say: 'flags; fast path', not: ['traits'] },
  { say: 'the thread, the caller, the subscriber, the process', not: ['whoever', 'nobody', 'somebody'] },
]

/** Before these words, `behind` means that somebody is late, and after `anything` and `error` that something stays. */
const lagging =
  /\b(be|is|are|was|were|been|fall|falls|fell|fallen|falling|far|run|runs|stay|stays|lag|lags|bytes|B|anything|error|standby|primary) behind\b/gi

const text = /\.(c|json|md|mjs|mts|ts)$/
const self = 'test/unit/words.test.ts'
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => text.test(file) && !file.endsWith('package-lock.json') && file !== self)

/** Every place where one of the patterns stands, as `file:line: word: what to say`. */
function places(
  patterns: readonly { readonly pattern: RegExp; readonly say: string }[],
  of: readonly string[],
): string[] {
  const found: string[] = []
  for (const file of of) {
    const lines = readFileSync(path.join(root, file), 'utf8').split('\n')
    for (const [i, line] of lines.entries()) {
      for (const { pattern, say } of patterns) {
        const [word] = pattern.exec(words(line)) ?? []
        if (word !== undefined) found.push(`${file}:${i + 1}: ${word}: ${say}`)
      }
    }
  }
  return found
}

/** A line with its identifiers taken apart: `isSound` is two words. */
function words(line: string): string {
  return line
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .replace(lagging, '')
}

describe('the words of the repository', () => {
  it('are those of the glossary: none that was replaced has come back', () => {
    const patterns = replaced.map(({ say, not }) => ({
      say,
      pattern: new RegExp(`\\b(${not.join('|').replaceAll(' ', '[ -]')})\\b`, 'i'),
    }))
    patterns.push({ say: 'after, before (behind is what is late)', pattern: /\bbehind\b/i })
    expect(files.length).toBeGreaterThan(50)
    expect(places(patterns, files)).toEqual([])
  })

  it('stand in one docstring a name: of two the last alone counts, and an `@internal` in the first is lost', () => {
    const doubled = files
      .filter((file) => /^(src|workers)\/.*\.ts$/.test(file))
      .filter((file) => /\*\/\n *\/\*\*/.test(readFileSync(path.join(root, file), 'utf8')))
    expect(doubled).toEqual([])
  })

  it('speak of the repository alone: no folder of the machine that it was written on', () => {
    const looked = files.filter((file) => !/^(test|bench\/results)\//.test(file))
    const pattern = /(?<![\w.$}])\/(work|tmp|home|root|Users)\/\w/
    expect(places([{ pattern, say: 'a relative path, or the folder for temporary files' }], looked)).toEqual(
      [],
    )
  })
})
