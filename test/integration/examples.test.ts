import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import {
  type Example,
  ExampleProcess,
  examplesOfPages,
  examplesOfSource,
  pages,
  typeErrorsOf,
} from '../support/examples.js'
import { root, runProgram } from '../support/run-script.js'
import { serverModules } from '../support/served-venue.js'
import { duckdb, peersEnvironment } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const files = readdirSync(path.join(root, 'examples'))
  .filter((name) => name.endsWith('.mjs'))
  .map((name) => `examples/${name}`)
/** One runs until it is ended, and readme.test.ts runs the other. */
const runElsewhere = ['examples/exchange.mjs', 'examples/quickstart.mjs']
const examples = [...examplesOfPages(), ...examplesOfSource()]
const folders = [...new Set(examples.map(({ folder }) => folder))]

/** The examples inside the package, so that its own name leads to what was built, as it does where it is installed. */
let copies: string
const installed = (file: string) => path.join(copies, path.basename(file))
beforeAll(() => {
  copies = mkdtempSync(path.join(root, 'dist/examples-'))
  cpSync(path.join(root, 'examples'), copies, { recursive: true })
})
afterAll(() => rmSync(copies, { recursive: true }))

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

  describe('in one process', () => {
    let runner: ExampleProcess
    beforeAll(() => {
      runner = new ExampleProcess()
    })
    afterAll(() => runner.remove())

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
        expect(await runner.run(example, directory), example.name).toBe('')
      }
    })

    it('leave nothing that keeps their process alive: it ends by itself', async () => {
      expect(await runner.end()).toEqual({ code: 0, stderr: '' })
    })
  })

  it.each(files.filter((file) => !runElsewhere.includes(file)))(
    'run twice in the same folder: %s',
    async (file) => {
      if (!duckdb && read(file).includes("'tidemark/store'")) {
        process.stderr.write(`SKIPPED: ${file} needs DuckDB (npm ci --prefix test/peers).\n`)
        return
      }
      const cwd = temporaryDirectory()
      for (const time of ['first', 'second']) {
        const options = { cwd, environment: peersEnvironment }
        const result = await runProgram(process.execPath, [installed(file), './data'], options)
        expect(result, time).toMatchObject({ code: 0, stderr: '' })
        expect(result.stdout, time).toMatch(/\w/)
      }
    },
  )

  it('serve a page, take orders and show them until they are ended: examples/exchange.mjs', async () => {
    const child = spawn(process.execPath, [installed('examples/exchange.mjs'), './data', '0'], {
      cwd: temporaryDirectory(),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const ended = once(child, 'exit')
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const url = String(line).trim()
    expect(await (await fetch(url)).text()).toContain('<title>GOLD</title>')
    const order = (body: unknown) => fetch(`${url}/orders`, { method: 'POST', body: JSON.stringify(body) })
    const refused = await order({ account: 1, side: 'buy', price: '1950.001', quantity: '2' })
    expect([refused.status, await refused.text()]).toEqual([400, 'price must be a multiple of 0.01.'])
    const taken = await order({ account: 1, side: 'buy', price: '1950.10', quantity: '2' })
    expect([taken.status, await taken.text()]).toEqual([200, 'order 1: resting'])
    const sold = await order({ account: 2, side: 'sell', price: '1950.00', quantity: '1' })
    expect(await sold.text()).toBe('order 2: filled')
    const events = (await fetch(`${url}/events`)).body!.getReader()
    const { value } = await events.read()
    const state = JSON.parse(new TextDecoder().decode(value).replace('data: ', ''))
    expect(state.depth.bids).toMatchObject([{ price: '1950.10', quantity: '1' }])
    expect(state.trades).toMatchObject([{ price: '1950.10', quantity: '1', takerSide: 'sell' }])
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    await events.cancel().catch(() => {}) // the server has ended it
  })
})
