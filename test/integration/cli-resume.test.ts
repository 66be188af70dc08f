import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/index.js'
import { SalvageReader } from '#tidemark/log/index.js'
import { decodeCommand } from '#tidemark/matching/index.js'
import { wordsOf } from '#tidemark/pool/shard/replay.js'
import { summaryOf, tidemark } from '../support/cli.js'
import { temporaryDirectory } from '../support/temporary.js'

const oneSentence = /^[A-Z][^\n]*\.\n$/
const flow = (commands: number) => ['--commands', String(commands), '--symbols', '2', '--accounts', '7']

/** Runs with --resume in a folder; gives the summary and the report lines without their LSNs. */
async function resumed(folder: string, ...args: string[]) {
  const reports = path.join(folder, 'reports.jsonl')
  const { code, summary } = await summaryOf([
    ...args,
    '--resume',
    '--dir',
    path.join(folder, 'log'),
    '--reports',
    reports,
  ])
  return { code, summary, text: readFileSync(reports, 'utf8') }
}

const withoutLsn = (text: string) => text.replace(/^\{"lsn":\d+,/gm, '{')

/** The commands of a log, as they stand in it. */
async function logged(folder: string) {
  const commands = []
  for await (const record of new SalvageReader(path.join(folder, 'log'))) {
    commands.push({ lsn: record.lsn, ...decodeCommand(wordsOf(record), 0)! })
  }
  return commands as { lsn: number; type: string; instrumentId: number; account: number; requestId: number }[]
}

describe('tidemark run --resume', () => {
  it('does nothing again to a run that is complete, and makes its report file right whatever became of it', async () => {
    const folder = temporaryDirectory()
    const reports = path.join(folder, 'reports.jsonl')
    const first = await resumed(folder, ...flow(3000))
    expect(first.summary).toMatchObject({ commands: 3000, resumed: { commands: 0 } })
    const records = await logged(folder)
    const spoil: (() => void)[] = [
      () => {},
      () => rmSync(reports),
      () => truncateSync(reports, 100_001),
      () => appendFileSync(reports, first.text.slice(0, 5000)),
      () => writeFileSync(reports, first.text.replace('"buy"', '"bye"')),
      () => writeFileSync(reports, Buffer.alloc(first.text.length)),
    ]
    for (const spoiled of spoil) {
      spoiled()
      const again = await resumed(folder, ...flow(3000))
      expect(again.summary).toMatchObject({ commands: 0, resumed: { commands: 3000 }, exitCode: 0 })
      expect(again.text).toBe(first.text)
    }
    expect(await logged(folder)).toEqual(records)
  })

  it('gives every command a request id that grows for each account and symbol', async () => {
    const folder = temporaryDirectory()
    await resumed(folder, ...flow(500))
    const last = new Map<string, number>()
    for (const { type, instrumentId, account, requestId } of await logged(folder)) {
      if (type === 'instrument') continue
      const pair = `${instrumentId} ${account}`
      expect(requestId).toBeGreaterThan(last.get(pair) ?? 0)
      last.set(pair, requestId)
    }
    expect(last.size).toBe(14)
    const pool = await EnginePool.open({ dir: path.join(folder, 'log') })
    for (const [pair, requestId] of last) {
      const [instrumentId, account] = pair.split(' ').map(Number) as [number, number]
      const { symbol } = pool.instruments()[instrumentId]!
      expect((await pool.lastRequestId(account, symbol)).requestId).toBe(requestId)
    }
    await pool.close()
  })

  it('continues into a longer flow of the same settings', async () => {
    const folder = temporaryDirectory()
    await resumed(folder, ...flow(1000))
    const longer = await resumed(folder, ...flow(2500), '--shards', '1', '--handover', '7')
    expect(longer.summary).toMatchObject({ commands: 1500, resumed: { commands: 1000 } })
    const whole = await resumed(temporaryDirectory(), ...flow(2500))
    expect(withoutLsn(longer.text)).toBe(withoutLsn(whole.text))
  })

  it('executes nothing of an input that is not the one of the folder, and leaves the report file', async () => {
    const folder = temporaryDirectory()
    const { text } = await resumed(folder, ...flow(1000))
    const records = await logged(folder)
    const dir = path.join(folder, 'log')
    const reports = path.join(folder, 'reports.jsonl')
    for (const other of [[...flow(1000), '--seed', '2'], flow(900), [...flow(1000), '--accounts', '8']]) {
      const run = await tidemark(['run', ...other, '--resume', '--dir', dir, '--reports', reports])
      expect(run).toMatchObject({ code: 4, stdout: '' })
      expect(run.stderr).toMatch(oneSentence)
      expect(run.stderr).toContain('of another input')
      expect(readFileSync(reports, 'utf8')).toBe(text)
      expect(await logged(folder)).toEqual(records)
    }
    // A run without --resume gave its commands no request ids.
    const plain = temporaryDirectory()
    await tidemark(['run', ...flow(100), '--dir', plain])
    expect((await tidemark(['run', ...flow(100), '--dir', plain, '--resume'])).code).toBe(4)
  })

  it('needs a folder, and the whole log in it', async () => {
    const without = await tidemark(['run', ...flow(10), '--resume'])
    expect(without).toMatchObject({ code: 2, stdout: '' })
    expect(without.stderr).toMatch(oneSentence)
    const folder = temporaryDirectory()
    await resumed(folder, ...flow(3000))
    const dir = path.join(folder, 'log')
    const pool = await EnginePool.open({
      dir,
      keepLogBytes: 0,
      keepSnapshots: 1,
      segmentBytes: 65_536,
      maxBatchBytes: 4096,
      ringBytes: 65_536,
    })
    for (let i = 0; i < 2000; i++)
      pool.submit({ type: 'phase', symbol: 'BTC-USD', phase: 'halted' }).catch(() => {})
    await pool.submit({ type: 'phase', symbol: 'BTC-USD', phase: 'continuous' })
    await pool.checkpoint()
    await pool.close()
    const trimmed = await tidemark(['run', ...flow(3000), '--resume', '--dir', dir])
    expect(trimmed).toMatchObject({ code: 4, stdout: '' })
    expect(trimmed.stderr).toContain('--resume needs all of it')
  })
})

describe('tidemark run --resume of JSON lines', () => {
  const instrument = (symbol: string) => ({ type: 'instrument', symbol, tickSize: '1', lotSize: '1' })
  const order = (symbol: string, orderId: number, account: number, rest: object = {}) => ({
    ...{ type: 'new', symbol, orderId, account, side: 'buy', orderType: 'limit', price: 10, quantity: 1 },
    ...rest,
  })

  async function runLines(folder: string, lines: readonly object[], ...args: string[]) {
    const input = path.join(folder, 'input.jsonl')
    writeFileSync(input, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    return resumed(folder, input, ...args)
  }

  /**
   * Cuts the log after the first `records` records, as a crash may that happens before they are known to be synced: a batch
   * must end there.
   */
  async function cutAfter(folder: string, records: number): Promise<void> {
    const { lsn } = (await logged(folder))[records - 1]!
    const dir = path.join(folder, 'log')
    const files = readdirSync(dir)
      .filter((name) => name.endsWith('.wal'))
      .sort()
    const file = files.findLast((name) => Number(name.slice(0, 20)) <= lsn)!
    // A crash leaves no snapshot of a clean close.
    const snapshots = readdirSync(dir).filter((name) => name.endsWith('.snap'))
    for (const later of [...files.slice(files.indexOf(file) + 1), ...snapshots]) rmSync(path.join(dir, later))
    truncateSync(path.join(dir, file), 4096 + lsn - Number(file.slice(0, 20)))
  }

  it('finishes a cancel-all of which only some symbols had been logged', async () => {
    const lines = [
      ...['A', 'B', 'C'].map(instrument),
      ...['A', 'B', 'C'].flatMap((symbol, at) => [order(symbol, 1 + at, 7), order(symbol, 11 + at, 8)]),
      { type: 'cancel-all', account: 7 },
      order('A', 21, 7),
      { type: 'cancel', symbol: 'B', orderId: 12 },
      order('C', 22, 8),
    ]
    const whole = temporaryDirectory()
    // One record a batch, so that a crash may leave any number of them.
    const { text } = await runLines(whole, lines, '--durability', 'each')
    const total = 3 + 6 + 3 + 3
    expect(await logged(whole)).toHaveLength(total)
    // From before the cancel-all until after the command that follows it.
    for (let records = 9; records <= 13; records++) {
      const folder = path.join(temporaryDirectory(), 'copy')
      cpSync(whole, folder, { recursive: true })
      await cutAfter(folder, records)
      const again = await runLines(folder, lines)
      expect(withoutLsn(again.text), `cut after ${records} records`).toBe(withoutLsn(text))
      // One that was complete is sent again when nothing stands after it, and finds nothing to do.
      expect(await logged(folder)).toHaveLength(records === 12 ? total + 1 : total)
    }
  })

  it('refuses again what was refused, though its symbol is there by now', async () => {
    const folder = temporaryDirectory()
    const lines = [order('A', 1, 7), instrument('A'), order('A', 2, 7), instrument('A'), order('A', 2, 7)]
    const first = await runLines(folder, lines)
    expect(first.summary.refused.byCode).toEqual({ TIDEMARK_UNKNOWN_SYMBOL: 1, TIDEMARK_DUPLICATE_SYMBOL: 1 })
    const again = await runLines(folder, lines)
    expect(again.summary).toMatchObject({ commands: 0, resumed: { commands: 2 } })
    expect(again.summary.refused.byCode).toEqual(first.summary.refused.byCode)
    expect(again.text).toBe(first.text)
  })

  it('knows an order for an amount again, of which the log says what it came to', async () => {
    const folder = temporaryDirectory()
    const amount = {
      side: 'buy',
      orderType: 'market',
      price: undefined,
      quantity: undefined,
      quoteQuantity: '15',
    }
    const lines = [instrument('A'), order('A', 1, 7, { side: 'sell' }), order('A', 2, 8, amount)]
    const first = await runLines(folder, lines)
    expect(first.text).toContain('"event":"trade"')
    const again = await runLines(folder, lines)
    expect(again.summary).toMatchObject({ commands: 0, resumed: { commands: 2 } })
    expect(again.text).toBe(first.text)
  })

  it('keeps the request ids of an input that has its own, and refuses to mix them with given ones', async () => {
    const folder = temporaryDirectory()
    const lines = [
      instrument('A'),
      order('A', 1, 7, { requestId: 500 }),
      order('A', 2, 7),
      order('A', 3, 8),
      order('A', 4, 7, { requestId: 500 }),
    ]
    await runLines(folder, lines)
    const ids = (await logged(folder)).map(({ requestId }) => requestId)
    expect(ids).toEqual([undefined, 500, undefined, 3, 500])
    const again = await runLines(folder, lines)
    expect(again.summary).toMatchObject({ commands: 0, resumed: { commands: 4 } })

    const input = path.join(folder, 'mixed.jsonl')
    const mixed = [instrument('A'), order('A', 1, 7), order('A', 2, 7, { requestId: 500 })]
    writeFileSync(input, mixed.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const dir = path.join(folder, 'mixed')
    const run = await tidemark(['run', input, '--resume', '--dir', dir])
    expect(run.code).toBe(3)
    expect(run.stderr).toMatch(oneSentence)
    expect(existsSync(dir)).toBe(true)
  })
})
