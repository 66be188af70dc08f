import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CliProcessOptions, type CliResult, root, tidemark, tidemarkProcess } from '../support/cli.js'
import { peersEnvironment, statement, storeTargets } from '../support/store-targets.js'
import { temporaryDirectory } from '../support/temporary.js'

const targets = await storeTargets()

/** Called where the databases are installed. */
function store(args: readonly string[]): Promise<CliResult> {
  return tidemark(['store', ...args], { cwd: path.join(root, 'test/peers') })
}

function storeProcess(args: readonly string[], options: CliProcessOptions = {}): Promise<CliResult> {
  return tidemarkProcess(['store', ...args], { ...options, environment: peersEnvironment })
}

async function logOf(base: string, name = 'log', seed = '1'): Promise<string> {
  const dir = path.join(base, name)
  const args = ['run', '--dir', dir, '--commands', '3000', '--seed', seed, '--no-progress', '--json']
  expect(await tidemark(args)).toMatchObject({ code: 0, stderr: '' })
  return dir
}

/** One sentence on standard error, and nothing on standard output. */
function refused(result: CliResult, code: number, sentence: RegExp): void {
  expect(result).toMatchObject({ code, stdout: '' })
  expect(result.stderr.trim()).toMatch(sentence)
  expect(result.stderr.trim().split('\n')).toHaveLength(1)
}

describe.each(targets)('tidemark store, with $name', ({ name, fresh }) => {
  it('stores a log, says what it holds, and answers in three forms', async () => {
    const base = temporaryDirectory()
    const dir = await logOf(base)
    const to = await fresh(base)
    const synced = await store(['sync', dir, '--to', to, '--json', '--no-progress'])
    expect(synced).toMatchObject({ code: 0, stderr: '' })
    const figures = JSON.parse(synced.stdout)
    expect(figures).toMatchObject({ lagBytes: 0, rows: expect.any(Number), transactions: expect.any(Number) })
    expect(figures.rows).toBeGreaterThan(3000)
    const again = await store(['sync', dir, '--to', to, '--json', '--no-progress'])
    expect(JSON.parse(again.stdout)).toMatchObject({ rows: 0, storedLsn: figures.storedLsn })
    const status = await store(['status', to, '--json'])
    const { logs, rows } = JSON.parse(status.stdout)
    expect(logs).toMatchObject([{ kind: 'pool', lsn: figures.storedLsn }])
    expect((await storeProcess(['status', to])).stdout).toMatch(
      /^log of pool {2,}stored up to LSN [\d,]+, logged 20/m,
    )

    const sql =
      'SELECT symbol, COUNT(*) AS n FROM trades WHERE trade_id >= $1 GROUP BY symbol ORDER BY symbol'
    const json = await store(['query', to, sql, '--param', '1', '--json'])
    const answers = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(answers.reduce((sum, { n }) => sum + n, 0)).toBe(rows.trades)
    const csv = await store(['query', to, sql, '--param', '1', '--csv'])
    expect(csv.stdout).toBe(`symbol,n\n${answers.map(({ symbol, n }) => `${symbol},${n}\n`).join('')}`)
    const table = await store(['query', to, sql, '--param', '1'])
    expect(table.stdout).toMatch(/^symbol +n\n-+ {2}-+\n/)
    expect(table.stdout).toMatch(new RegExp(`\n${answers.length} rows\n$`))
    const quoted = await store(['query', to, `SELECT 'a "b", c' AS "x,y", NULL AS z`, '--csv'])
    expect(quoted.stdout).toBe('"x,y",z\n"a ""b"", c",\n')
  })

  it('follows until it is interrupted', async () => {
    const base = temporaryDirectory()
    const dir = await logOf(base)
    const to = await fresh(base)
    let interrupted = false
    const result = await storeProcess(['sync', dir, '--to', to, '--follow'], {
      onStderr: (child, text) => {
        if (!interrupted && /^100% .* no lag$/m.test(text)) interrupted = child.kill('SIGINT')
      },
    })
    expect(result.code).toBe(130)
    expect(result.stdout).toMatch(/^up to LSN +[\d,]+ \(everything that is synced\)$/m)
  })

  it('says in one sentence what is wrong', async () => {
    const base = temporaryDirectory()
    const dir = await logOf(base)
    const to = await fresh(base)
    refused(await store(['sync', path.join(base, 'nowhere'), '--to', to]), 3, /^There is no folder /)
    const nothing = path.join(base, 'nothing')
    mkdirSync(nothing)
    refused(await store(['sync', nothing, '--to', to]), 3, /^There is no log in /)
    expect((await store(['sync', dir, '--to', to, '--no-progress'])).code).toBe(0)
    refused(
      await store(['sync', await logOf(base, 'other', '2'), '--to', to]),
      4,
      /was made of another log|ends at/,
    )
    refused(await store(['query', to, 'SELECT * FROM nowhere']), 2, /^The query failed: .*nowhere/)
    refused(await store(['query', to, 'SELECT 1', '--csv', '--json']), 2, /csv/)
    refused(await store(['sync', dir, '--to', 'mysql://localhost/x']), 3, /^There is no target for mysql:/)
    if (name === 'duckdb') {
      refused(await store(['status', path.join(base, 'none.duckdb')]), 3, /^There is no file /)
      const other = path.join(base, 'text.duckdb')
      writeFileSync(other, 'no database\n'.repeat(1000))
      refused(await store(['status', other]), 3, /text\.duckdb is not a database of DuckDB\.$/)
      refused(await store(['sync', dir, '--to', other]), 3, /text\.duckdb is not a database of DuckDB\.$/)
      const nowhere = path.join(base, 'nowhere', 'a.duckdb')
      refused(await store(['sync', dir, '--to', nowhere]), 3, /could not open .*a\.duckdb: .*No such file/)
      refused(await store(['sync', dir, '--to', nothing]), 3, /nothing/)
      const missing = await tidemark(['store', 'sync', dir, '--to', path.join(base, 'a.duckdb')])
      refused(missing, 3, /needs the package @duckdb\/node-api.*npm install @duckdb\/node-api/)
    } else {
      const empty = await fresh(base)
      refused(await store(['status', empty]), 3, /holds no store of tidemark\.$/)
      const closed = 'postgres://tidemark@127.0.0.1:1/x'
      refused(
        await store(['status', closed]),
        3,
        /^No connection to postgres:\/\/127\.0\.0\.1:1\/x: .*ECONNREFUSED/,
      )
      const unknown = empty.replace(/[^/]+$/, 'nowhere')
      refused(await store(['sync', dir, '--to', unknown]), 3, /^No connection to .*"nowhere" does not exist/)
      refused(
        await store(['sync', dir, '--to', 'postgres://tidemark@nowhere.invalid/x']),
        3,
        /^No connection to postgres:\/\/nowhere\.invalid\/x: /,
      )
      await statement(empty, 'CREATE ROLE reader LOGIN')
      const reader = empty.replace('tidemark@', 'reader@')
      refused(await store(['sync', dir, '--to', reader]), 1, /could not write to .*permission denied/)
      await statement(empty, "CREATE ROLE guarded LOGIN PASSWORD 'right'")
      const guarded = empty.replace('tidemark@', 'guarded:wrong@')
      const failed = await store(['status', guarded])
      refused(failed, 3, /password authentication failed/)
      expect(failed.stderr).not.toContain('wrong')
      const synced = await store(['sync', dir, '--to', guarded])
      refused(synced, 3, /password authentication failed/)
      expect(synced.stderr).not.toContain('wrong')
    }
  })

  it.skipIf(process.getuid?.() !== 0)('says in one sentence what it may not do', async () => {
    const base = temporaryDirectory()
    chmodSync(base, 0o755)
    const dir = await logOf(base)
    const to = name === 'duckdb' ? path.join(base, 'store.duckdb') : await fresh(base)
    const unprivileged = (...args: string[]) => storeProcess(args, { unprivileged: true })
    if (name === 'duckdb') {
      refused(
        await unprivileged('sync', dir, '--to', to),
        3,
        /could not open .*store\.duckdb: .*Permission denied/,
      )
    } else {
      // The log can be read, and its folder not be written.
      refused(
        await unprivileged('sync', dir, '--to', to),
        1,
        /^The cursor store-\S+ can't be written into .*--no-cursor/,
      )
      const result = await unprivileged('sync', dir, '--to', to, '--no-cursor', '--no-progress')
      expect(result).toMatchObject({ code: 0, stderr: '' })
    }
    chmodSync(dir, 0o700)
    refused(
      await unprivileged('sync', dir, '--to', to, '--no-cursor'),
      1,
      /Could not read .*EACCES|permission denied/,
    )
  })
})
