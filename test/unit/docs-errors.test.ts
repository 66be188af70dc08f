import { readdirSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorLists, errorsFile, errorsPage } from '../../docs/.vitepress/errors-page.mjs'
import { root } from '../support/run-script.js'

const lists = errorLists()
const listed = lists.flatMap(({ codes }) => codes)
const program = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(path.join(root, 'src', file), 'utf8').replaceAll(/\/\*\*[\s\S]*?\*\//g, ''))
  .join('\n')

/** Every place in src outside the lists where the text of a code stands, by code. */
const uses = new Map<string, number>()
const outsideLists = program.replaceAll(/^(?:export )?type \w*ErrorCode =(?:\n {2}.*)+/gm, '')
for (const [, code] of outsideLists.matchAll(/['"`](TIDEMARK_[A-Z_]+)['"`]/g)) {
  uses.set(code!, (uses.get(code!) ?? 0) + 1)
}

/** The variables of the environment that src reads, whose names look like codes. */
const variables = new Set(
  [...readFileSync(path.join(root, 'docs/settings.md'), 'utf8').matchAll(/`(TIDEMARK_[A-Z_]+)`/g)].map(
    ([, name]) => name!,
  ),
)

describe('the codes of errors', () => {
  it('each have a cause and a remedy in their docstring, as sentences', () => {
    expect(lists.length).toBeGreaterThan(10)
    const bad = listed.filter(({ cause, remedy }) => !/[.)`]$/.test(cause) || !/[.)`]$/.test(remedy ?? ''))
    expect(bad).toEqual([])
  })

  it('are all in a list: none is raised that no list has', () => {
    const known = new Set(listed.map(({ code }) => code))
    expect([...uses.keys()].filter((code) => !known.has(code) && !variables.has(code))).toEqual([])
  })

  it('are all raised: no list has a dead one', () => {
    expect(listed.filter(({ code }) => !uses.has(code))).toEqual([])
  })

  it('are what docs/errors.md says (npm run docs:errors writes it)', () => {
    expect(readFileSync(errorsFile, 'utf8')).toBe(errorsPage())
  })
})
