import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { root } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

interface Example {
  /** Page and number of the block, or the file in `examples`. */
  readonly name: string
  readonly code: string
}

const pages = ['README.md', ...readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)]
const files = readdirSync(path.join(root, 'examples'))
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

function examplesOf(page: string): Example[] {
  const blocks = [...read(page).matchAll(/^```(?:js|ts)\n(.*?)^```$/gms)]
  return blocks.map(([, code], index) => ({
    name: `${path.basename(page, '.md')}-${index + 1}`,
    code: code!,
  }))
}

const documented = pages.map((page) => ({ page, examples: examplesOf(page) }))
const withExamples = documented.filter(({ examples }) => examples.length > 0)

// Inside the package, so that its own name leads to what was built, as it does where it is installed.
let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(root, 'dist/examples-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, ending: string, code: string): string {
  const file = path.join(folder, `${name}${ending}`)
  writeFileSync(file, code)
  return file
}

function run(file: string, cwd: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
  })
  return { status, stdout, stderr }
}

/** A log for those examples that read one. */
async function writeLog(dir: string): Promise<void> {
  const log = await DurableLog.open({ dir })
  await log.waitDurable(log.append(new TextEncoder().encode('hello')))
  await log.close()
}

describe('the examples of README, docs and examples/', () => {
  it('stand in blocks that are checked here', () => {
    for (const page of pages) {
      expect(read(page), page).not.toMatch(/^ {4}(const|let|import|await|for await|console\.|export) /m)
      expect(read(page), page).not.toMatch(/^```(javascript|typescript|mjs|mts)/m)
    }
    expect(withExamples.map(({ page }) => page)).toEqual(
      expect.arrayContaining(['README.md', 'docs/factors.md', 'docs/jobs.md', 'docs/log-tools.md']),
    )
  })

  it('are correct TypeScript as they stand', () => {
    const sources = [
      ...withExamples.flatMap(({ examples }) => examples),
      ...files.map((file) => ({ name: path.basename(file, '.mjs'), code: read(`examples/${file}`) })),
    ]
    for (const { name, code } of sources) write(name, '.mts', code)
    const settings = { strict: true, module: 'nodenext', target: 'es2023', noEmit: true, types: ['node'] }
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...settings, skipLibCheck: true }, include: ['*.mts'] }),
    )
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc')
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
    expect(stdout).toBe('')
  })

  it.each(withExamples)('of $page run, one after the other', async ({ page, examples }) => {
    const cwd = temporaryDirectory()
    if (page === 'docs/log-tools.md') await writeLog(path.join(cwd, 'log'))
    for (const { name, code } of examples) {
      const result = run(write(name, '.mjs', code), cwd)
      expect(result, name).toMatchObject({ status: 0, stderr: '' })
    }
  })

  it.each(files)('of the file %s run, twice in the same folder', (file) => {
    const cwd = temporaryDirectory()
    cpSync(path.join(root, 'examples', file), path.join(folder, file))
    for (const time of ['first', 'second']) {
      const result = run(path.join(folder, file), cwd, './data')
      expect(result, time).toMatchObject({ status: 0, stderr: '' })
    }
  })
})
