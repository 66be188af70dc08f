import { describe, expect, it } from 'vitest'
import { examplesOfPages, examplesOfSource, runExample, typeErrorsOf } from '../support/examples.js'
import { temporaryDirectory } from '../support/temporary.js'

const examples = [...examplesOfPages(), ...examplesOfSource()]
const folders = [...new Set(examples.map(({ folder }) => folder))]

describe('the programs in README, docs and docstrings', () => {
  it('pass the type check', async () => {
    expect(examples.length).toBeGreaterThan(15)
    expect(await typeErrorsOf(examples)).toBe('')
  })

  it.each(folders)('run: %s', async (folder) => {
    const directory = temporaryDirectory()
    for (const example of examples.filter((one) => one.folder === folder)) {
      const result = await runExample(example, directory)
      expect(result, example.name).toMatchObject({ code: 0, stderr: '' })
    }
  })
})
