import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import {
  type Example,
  examplesOfPages,
  examplesOfSource,
  pages,
  runExample,
  typeErrorsOf,
} from '../support/examples.js'
import { root, runProgram } from '../support/run-script.js'
import { serverModules } from '../support/served-venue.js'
import { duckdb } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const files = readdirSync(path.join(root, 'examples')).map((name) => `examples/${name}`)
const examples = [...examplesOfPages(), ...examplesOfSource()]
const folders = [...new Set(examples.map(({ folder }) => folder))]

/** A log for those examples that read one. */
async function writeLog(dir: string): Promise<void> {
  const log = await DurableLog.open({ dir })
  await log.waitDurable(log.append(new TextEncoder().encode('hello')))
  await log.close()
}

describe('the programs in README, docs, docstrings and examples/', () => {
  it('stand in blocks that are checked here', () => {
    for (const page of pages) {
      expect(read(page), page).not.toMatch(/^ {4}(const|let|import|await|for await|console\.|export) /m)
      expect(read(page), page).not.toMatch(/^```(javascript|typescript|mjs|mts)/m)
    }
    expect(folders).toEqual(
      expect.arrayContaining(['README.md', 'docs/factors.md', 'docs/jobs.md', 'docs/log-tools.md']),
    )
    expect(examples.length).toBeGreaterThan(15)
  })

  it('pass the type check', async () => {
    const programs: Example[] = files.map((file) => ({ name: file, code: read(file), folder: file }))
    expect(await typeErrorsOf([...examples, ...programs])).toBe('')
  })

  it.each(folders)('run: %s', async (folder) => {
    const directory = temporaryDirectory()
    if (folder === 'docs/log-tools.md') await writeLog(path.join(directory, 'log'))
    for (const example of examples.filter((one) => one.folder === folder)) {
      if (typeof serverModules === 'string' && example.code.includes("'tidemark/server'")) {
        process.stderr.write(
          `SKIPPED: ${example.name} needs the server's packages (npm ci --prefix test/peers).\n`,
        )
        continue
      }
      if (!duckdb && example.code.includes("'tidemark/store'")) {
        process.stderr.write(`SKIPPED: ${example.name} needs DuckDB (npm ci --prefix test/peers).\n`)
        continue
      }
      const result = await runExample(example, directory)
      expect(result, example.name).toMatchObject({ code: 0, stderr: '' })
    }
  })

  it.each(files)('run twice in the same folder: %s', async (file) => {
    // Inside the package, so that its own name leads to what was built, as it does where it is installed.
    const folder = mkdtempSync(path.join(root, 'dist/examples-'))
    try {
      const program = path.join(folder, path.basename(file))
      cpSync(path.join(root, file), program)
      const cwd = temporaryDirectory()
      for (const time of ['first', 'second']) {
        const result = await runProgram(process.execPath, [program, './data'], { cwd })
        expect(result, time).toMatchObject({ code: 0, stderr: '' })
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
