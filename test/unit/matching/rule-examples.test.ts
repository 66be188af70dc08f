import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../../support/run-script.js'
import { RuleBook } from './support/rule-book.js'

/** The worked examples of docs/matching-rules.md: commands as JSON, each followed by what it caused, indented. */
function traces(): { heading: string; text: string }[] {
  const page = readFileSync(path.join(root, 'docs/matching-rules.md'), 'utf8')
  return page.split(/^## /m).flatMap((section) => {
    const heading = section.slice(0, section.indexOf('\n'))
    return [...section.matchAll(/^```trace\n(.*?)^```/gms)].map(([, text]) => ({ heading, text: text! }))
  })
}

const examples = traces()

describe('the worked examples of the matching rules', () => {
  it('are there', () => expect(examples.length).toBeGreaterThanOrEqual(1))

  for (const { heading, text } of examples) {
    it(`give what they say: ${heading}`, () => {
      // Its first line may say what the instrument is created with.
      const [, definition] = /^({"type":"instrument",.*})$/m.exec(text) ?? []
      const book = new RuleBook(definition === undefined ? {} : JSON.parse(definition))
      const played: string[] = []
      for (const line of text.split('\n').filter((line) => line.startsWith('{'))) {
        const events = line === definition ? [] : book.send(JSON.parse(line))
        played.push(line, ...events.map((event) => `  ${event}`))
      }
      expect(`${played.join('\n')}\n`).toBe(text)
    })
  }
})
