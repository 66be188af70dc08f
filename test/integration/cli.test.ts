import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSummary, summaryOf, tidemark, tidemarkProcess } from '../support/cli.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tidemark-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const small = ['--commands', '5000']

describe('tidemark run', () => {
  it('runs a generated flow that trades, prints a table, and removes its temporary folder', async () => {
    const { code, stdout, stderr } = await tidemarkProcess(['run', ...small, '--verify'])
    expect([code, stderr]).toEqual([0, ''])
    for (const label of [
      'commands',
      'trades',
      'throughput',
      'acknowledgement',
      'flushes',
      'records a flush',
      'bytes',
    ]) {
      expect(stdout).toMatch(new RegExp(`^${label} +\\S`, 'm'))
    }
    expect(stdout).toMatch(/^reopened +identical books, 8 of 8 symbols/m)
    const temporary = /^folder +(\S+) \(temporary, removed\)/m.exec(stdout)![1]!
    expect(existsSync(temporary)).toBe(false)
  })

  it('prints one JSON object and nothing else with --json', async () => {
    const { code, summary } = await summaryOf([...small, '--verify', '--shards', '2'])
    expect(code).toBe(0)
    expect(summary).toMatchObject({
      commands: 5000,
      settings: { shards: 2 },
      refused: { total: 0 },
      verify: { identical: true, symbols: 8 },
      interrupted: false,
      exitCode: 0,
    })
    expect(summary.trades).toBeGreaterThan(500)
    expect(summary.rejected).toBeLessThan(500)
    expect(summary.book.restingOrders).toBeGreaterThan(100)
  })

  it('keeps funded accounts in a ledger with --ledger, which add up, also in a folder that has one', async () => {
    const dir = path.join(folder, 'ledger')
    const flags = ['--ledger', '--commands', '2000', '--symbols', '1', '--accounts', '5', '--dir', dir]
    for (const shards of ['1', '2']) {
      const { code, summary } = await summaryOf([...flags, '--shards', shards, '--verify'])
      expect(code).toBe(0)
      expect(summary.trades).toBeGreaterThan(100)
      expect(Object.keys(summary.refused.byCode)).toEqual(['TIDEMARK_ORDER_NOT_KNOWN'])
      expect(summary.verify.identical).toBe(true)
      expect(summary.ledger.sumsAgree).toBe(true)
      expect(summary.ledger.assets).toMatchObject([
        { asset: 'USD', total: '5000000000.00000', deposited: '5000000000.00000', accounts: 5 },
        { asset: 'BTC', total: '5000000000.000', accounts: 5 },
      ])
      expect(Number(summary.ledger.assets[0].held)).toBeGreaterThan(0)
    }
    expect((await tidemark(['run', 'flow.jsonl', '--ledger'])).code).toBe(2)
  })

  it('takes flags before the environment, and the environment before the preset', async () => {
    const environment = { TIDEMARK_BATCH_SIZE: '7', TIDEMARK_SHARDS: '2' }
    const { summary } = await summaryOf([...small, '--shards', '1', '--preset', 'balanced'], { environment })
    expect(summary.settings).toEqual({ shards: 1, batchSize: 7, batchDelayMs: 10, durability: 'group' })
  })

  it('keeps its log in --dir or TIDEMARK_DIR, and continues there', async () => {
    const dir = path.join(folder, 'deep', 'log')
    const first = await summaryOf([...small, '--dir', dir])
    expect(readdirSync(dir).some((name) => name.endsWith('.wal'))).toBe(true)
    const second = await summaryOf([...small, '--verify'], { environment: { TIDEMARK_DIR: dir } })
    expect(second.summary).toMatchObject({
      folder: { path: dir, temporary: false },
      verify: { identical: true },
    })
    expect(second.summary.book.restingOrders).toBeGreaterThan(first.summary.book.restingOrders)
  })

  it('gives commands their intended arrival with --rate', async () => {
    const { summary } = await summaryOf(['--commands', '500', '--rate', '5000'])
    expect(summary.latency).toMatchObject({ count: 500, of: expect.stringContaining('intended arrival') })
  })

  it('prints its help', async () => {
    const { code, stdout } = await tidemark(['run', '--help'])
    expect(code).toBe(0)
    for (const part of ['--orderbook', '--rate', '--durability', '--seed', 'Exit codes:', 'TIDEMARK_DIR']) {
      expect(stdout).toContain(part)
    }
  })
})

describe('report lines', () => {
  /** The lines of each symbol, without their LSNs. */
  async function linesBySymbol(name: string, ...flags: string[]): Promise<Map<string, string[]>> {
    const file = path.join(folder, name)
    const { code } = await summaryOf([...small, '--symbols', '5', '--reports', file, ...flags])
    expect(code).toBe(0)
    const bySymbol = new Map<string, string[]>()
    let lastLsn = 0
    for (const text of readFileSync(file, 'utf8').trimEnd().split('\n')) {
      const { lsn, ...line } = JSON.parse(text)
      expect(lsn).toBeGreaterThanOrEqual(lastLsn)
      lastLsn = lsn
      bySymbol.set(line.symbol, [...(bySymbol.get(line.symbol) ?? []), JSON.stringify(line)])
    }
    return bySymbol
  }

  it('are the same for each symbol, whatever the shards, batches and hand-overs', async () => {
    const expected = await linesBySymbol('one', '--shards', '1')
    expect(expected.size).toBe(5)
    expect([...expected.values()].flat().length).toBeGreaterThan(5000)
    expect(await linesBySymbol('two', '--shards', '2')).toEqual(expected)
    expect(await linesBySymbol('three', '--shards', '3', '--handover', '7', '--window', '50')).toEqual(
      expected,
    )
    expect(await linesBySymbol('batch', '--batch-size', '300', '--batch-delay-ms', '5')).toEqual(expected)
  })
})

describe('commands from a file', () => {
  const lines = [
    '{"type":"instrument","symbol":"AB","tickSize":"0.01","lotSize":"1"}',
    '{"type":"new","symbol":"AB","orderId":1,"account":7,"side":"buy","orderType":"limit","price":"10.00","quantity":"5"}',
    'not json',
    '{"type":"new","symbol":"AB","orderId":2,"account":8,"side":"sell","orderType":"limit","price":10,"quantity":3,"timeInForce":"IOC"}',
    '{"type":"new","symbol":"AB","orderId":3,"account":8,"side":"sell","orderType":"limit","price":"10.001","quantity":3}',
    '{"type":"new","symbol":"ZZ","orderId":3,"account":8,"side":"sell","orderType":"limit","price":"10","quantity":3}',
    '{"type":"instrument","symbol":"AB","tickSize":"0.01","lotSize":"1"}',
    '{"type":"replace","symbol":"AB","orderId":1,"price":"9.99","quantity":"1"}',
    '{"type":"cancel","symbol":"AB","orderId":99}',
    '{"type":"cancel-all","account":7}',
  ]
  const refused = [
    [3, 'TIDEMARK_BAD_JSON'],
    [5, 'TIDEMARK_OFF_GRID'],
    [6, 'TIDEMARK_UNKNOWN_SYMBOL'],
    [7, 'TIDEMARK_DUPLICATE_SYMBOL'],
  ]
  const events = [
    { command: 1, event: 'accepted', orderId: 1, side: 'buy', price: '10.00', quantity: '5' },
    { command: 3, event: 'accepted', orderId: 2, side: 'sell', price: '10.00', quantity: '3' },
    {
      command: 3,
      event: 'trade',
      makerOrderId: 1,
      takerOrderId: 2,
      price: '10.00',
      quantity: '3',
      takerSide: 'sell',
    },
    { command: 7, event: 'replaced', orderId: 1, side: 'buy', price: '9.99', quantity: '1' },
    { command: 8, event: 'rejected', orderId: 99, code: 'UNKNOWN_ORDER' },
    {
      command: 9,
      event: 'cancelled',
      orderId: 1,
      side: 'buy',
      price: '9.99',
      remaining: '1',
      reason: 'cancel-all',
    },
  ]
  const checkReports = (file: string) => {
    const written = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(written.map(({ lsn: _, ...line }) => line)).toEqual(
      events.map((event) => ({ symbol: 'AB', ...event })),
    )
  }

  it('refuses malformed lines by number and code, and runs the rest', async () => {
    const input = path.join(folder, 'commands.jsonl')
    const reports = path.join(folder, 'commands-reports.jsonl')
    writeFileSync(input, lines.join('\n'))
    const { code, summary } = await summaryOf([input, '--reports', reports, '--verify'])
    expect(code).toBe(0)
    expect(summary).toMatchObject({ commands: 6, trades: 1, rejected: 1, refused: { total: 4 } })
    expect(summary.refused.lines.map((it: { line: number; code: string }) => [it.line, it.code])).toEqual(
      refused,
    )
    expect(summary.book).toMatchObject({ restingOrders: 0 })
    checkReports(reports)
  })

  it('reads standard input for -', async () => {
    const reports = path.join(folder, 'stdin-reports.jsonl')
    const stdin = `${lines.join('\r\n')}\r\n`
    const args = ['run', '-', '--reports', reports, '--json', '--no-progress']
    const { summary } = readSummary(await tidemarkProcess(args, { stdin }))
    expect(summary).toMatchObject({ commands: 6, refused: { total: 4 } })
    checkReports(reports)
  })
})

describe('a failure', () => {
  const sentence = /^[A-Z/-][^\n]*\.\n$/

  it.each([
    ['a file that is not there', ['/nowhere/flow.jsonl'], 3, /no such file/],
    ['a folder as input', [tmpdir()], 3, /is a directory/],
    ['an unknown flag', ['--swim'], 2, /--swim/],
    ['a bad value', ['--shards', 'many'], 2, /--shards.*whole number from 1 to/],
    ['a bad mix', ['--mix', 'add=x'], 2, /--mix/],
    ['one argument too many', ['a', 'b'], 2, /arguments/],
    ['an order book without messages', ['--orderbook', 'x'], 2, /lobster/],
    ['a folder below a file', ['--dir', path.join(import.meta.filename, 'x')], 1, /not a directory/],
    ['a folder where none can be', ['--dir', '/proc/tidemark/x'], 1, /Could not create/],
    ['reports that cannot be written', ['--reports', '/nowhere/r'], 1, /Could not write \/nowhere\/r/],
  ])('by %s is one sentence and a code', async (_, args, code, words) => {
    const result = await tidemark(['run', ...small, ...args])
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toMatch(sentence)
    expect(result.stderr).toMatch(words)
  })

  it.each([
    ['TIDEMARK_SHARDS', 'many'],
    ['TIDEMARK_BATCH_SIZE', '0'],
    ['TIDEMARK_DURABILITY', 'maybe'],
  ])('by a bad %s names the variable and the value', async (name, value) => {
    const result = await tidemark(['run', ...small], { environment: { [name]: value } })
    expect(result).toMatchObject({ code: 2, stdout: '' })
    expect(result.stderr).toMatch(sentence)
    expect(result.stderr).toContain(`${name} is "${value}"`)
  })

  it('by a file in no format, or of the wrong one, is a bad input', async () => {
    const junk = path.join(folder, 'junk')
    writeFileSync(junk, 'hello\nworld\n')
    for (const format of [
      [],
      ['--format', 'commands'],
      ['--format', 'lobster'],
      ['--format', 'matching-engine-benchmark'],
    ]) {
      const result = await tidemark(['run', junk, ...format])
      expect(result).toMatchObject({ code: 3, stdout: '' })
      expect(result.stderr).toMatch(sentence)
    }
  })

  it('by a folder in use says so', async () => {
    const dir = path.join(folder, 'busy')
    mkdirSync(dir)
    let second: ReturnType<typeof tidemark> | undefined
    const first = await tidemarkProcess(['run', '--rate', '100', '--dir', dir], {
      onStderr: (child) => {
        second ??= tidemark(['run', ...small, '--dir', dir]).finally(() => child.kill('SIGINT'))
      },
    })
    expect(first.code).toBe(130)
    expect(await second).toMatchObject({ code: 1, stderr: expect.stringMatching(/in use/) })
  })

  const disk = () => {
    const mounted = path.join(folder, 'disk')
    mkdirSync(mounted, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', mounted], { stdio: 'ignore' })
      return mounted
    } catch {
      return undefined
    }
  }

  it('by a full disk says so, for the log and for the reports', async (context) => {
    const mounted = disk()
    if (mounted === undefined) return context.skip('a small file system cannot be mounted here')
    try {
      for (const flags of [
        ['--dir', path.join(mounted, 'log')],
        ['--commands', '150000', '--reports', path.join(mounted, 'reports.jsonl')],
      ]) {
        const result = await tidemarkProcess(['run', '--no-progress', ...flags])
        expect(result).toMatchObject({ code: 1, stdout: '' })
        expect(result.stderr).toMatch(sentence)
        expect(result.stderr).toMatch(/the disk is full/)
        rmSync(path.join(mounted, 'log'), { recursive: true, force: true })
      }
    } finally {
      execFileSync('umount', [mounted])
    }
  })
})

describe('Ctrl-C', () => {
  it('stops the intake, settles what is under way, prints the summary, and loses nothing', async () => {
    const dir = path.join(folder, 'interrupted')
    const reports = path.join(folder, 'interrupted.jsonl')
    const args = [
      'run',
      '--rate',
      '20000',
      '--commands',
      '100000000',
      '--json',
      '--verify',
      '--dir',
      dir,
      '--reports',
      reports,
    ]
    let isStopped = false
    const { code, signal, stdout } = await tidemarkProcess(args, {
      onStderr: (child) => {
        // A second one would end it at once.
        if (!isStopped) isStopped = child.kill('SIGINT')
      },
    })
    expect([code, signal]).toEqual([130, null])
    const summary = JSON.parse(stdout)
    expect(summary).toMatchObject({ interrupted: true, exitCode: 130, verify: { identical: true } })
    expect(summary.commands).toBeGreaterThan(1000)
    expect(summary.latency.count).toBe(summary.commands)
    const commands = new Set<number>()
    for (const line of readFileSync(reports, 'utf8').trimEnd().split('\n'))
      commands.add(JSON.parse(line).command)
    expect(commands.size).toBe(summary.commands)
  })
})
