import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { constants, getPriority, tmpdir } from 'node:os'
import * as path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Command, EnginePool, type PoolEvent } from '#tidemark/index.js'
import { tidemark, tidemarkProcess } from '../support/cli.js'
import { bitcoin, ether, limit } from '../support/pools.js'
import { Random } from '../support/random.js'
import { temporaryDirectory } from '../support/temporary.js'

const small = { segmentBytes: 64 * 1024, maxBatchBytes: 32 * 1024, ringBytes: 256 * 1024 }
/** Made once for all tests; one that changes a log takes a copy. */
const sample = mkdtempSync(path.join(tmpdir(), 'tidemark-cli-log-'))

const segments = (dir: string) =>
  readdirSync(dir)
    .filter((name) => /^\d+\.wal$/.test(name))
    .sort()
    .map((name) => path.join(dir, name))
const snapshots = (dir: string) => readdirSync(dir).filter((name) => name.endsWith('.snap'))

function flow(random: Random, count: number, firstId: number): Command[] {
  return Array.from({ length: count }, (_, i) => {
    const symbol = random.int(2) ? 'BTC-USD' : 'ETH-USD'
    if (random.int(10) === 0) return { type: 'cancel', symbol, orderId: 1 + random.int(firstId + i) }
    const side = random.int(2) ? 'buy' : 'sell'
    return { ...limit(firstId + i, side, String(90 + random.int(20)), String(1 + random.int(9))), symbol }
  })
}

/** What the tests start from: a log of several segments with a snapshot in its middle, closed. */
interface Sample {
  events: PoolEvent[]
  snapshotLsn: number
  endLsn: number
  digest: unknown
  /** What `dump --json` prints of it. */
  dumped: DumpedRecord[]
}

interface DumpedRecord {
  readonly lsn: number
  readonly time: string
  readonly symbol: string
  readonly tag: string
  readonly command: { readonly type: string; readonly price?: string; readonly quantity?: string }
  readonly events: { readonly event: string }[]
}
let made: Sample

beforeAll(async () => {
  const pool = await EnginePool.open({
    dir: sample,
    instruments: [bitcoin, ether],
    checkpointBytes: 0,
    ...small,
  })
  const random = new Random(3)
  for (let i = 0; i < 10; i++) await pool.submitBatch(flow(random, 100, 1 + i * 100))
  const report = await pool.checkpoint()
  for (let i = 10; i < 18; i++) await pool.submitBatch(flow(random, 100, 1 + i * 100))
  const events: PoolEvent[] = []
  for await (const event of pool.subscribe({ from: 0, to: pool.durableLsn })) events.push(event)
  const { symbols: digest } = await pool.digest()
  const endLsn = pool.durableLsn
  await pool.close()
  const dump = await log('dump', sample, '--json')
  expect(dump.code).toBe(0)
  const dumped = lines(dump.stdout).map((line) => JSON.parse(line))
  made = { events, snapshotLsn: report.lsn, endLsn, digest, dumped }
  return () => rmSync(sample, { recursive: true, force: true })
})

function copy(): string {
  const dir = path.join(temporaryDirectory(), 'log')
  cpSync(sample, dir, { recursive: true })
  return dir
}

function flip(file: string, at: number): void {
  const content = readFileSync(file)
  content[at]! ^= 1
  writeFileSync(file, content)
}

const log = (...args: string[]) => tidemark(['log', ...args])
/** From a process of its own, as it stands beside a pool. */
const outside = (...args: string[]) => tidemarkProcess(['log', ...args])
const lines = (text: string) => text.trimEnd().split('\n')
const oneSentence = /^[A-Z][^\n]*\.\n$/

describe('tidemark log stats', () => {
  it('counts segments, records, commands, events and snapshots', async () => {
    const { code, stdout } = await log('stats', sample, '--json')
    expect(code).toBe(0)
    const figures = JSON.parse(stdout)
    const count = (kind: string) => made.events.filter(({ event }) => event === kind).length
    expect(figures).toMatchObject({
      segments: segments(sample).length,
      commands: { instrument: 2 },
      events: { 'instrument-created': 2, accepted: count('accepted'), trade: count('trade') },
      first: { lsn: 0 },
      snapshots: [{ lsn: made.snapshotLsn, valid: true, books: 2 }],
      corrupt: 0,
      tornTail: false,
    })
    expect(figures.commands.new + figures.commands.cancel).toBe(1800)
    expect(figures.last.lsn).toBeGreaterThanOrEqual(made.endLsn)
    expect(Date.parse(figures.first.time)).toBeLessThanOrEqual(Date.parse(figures.last.time))
    const table = await log('stats', sample)
    expect(table.stdout).toMatch(/^snapshots +1$/m)
    expect(table.stdout).toMatch(/^corrupt places +0$/m)
    expect(table.stdout).toMatch(/^ {2}new +1,\d+$/m)
  })

  it('fails with one sentence where there is no log', async () => {
    const empty = await log('stats', temporaryDirectory())
    expect(empty).toMatchObject({ code: 3, stdout: '' })
    expect(empty.stderr).toMatch(oneSentence)
    const missing = await log('verify', '/not/there')
    expect(missing).toMatchObject({ code: 3, stdout: '' })
    expect(missing.stderr).toMatch(oneSentence)
    expect((await log('dump', sample, '--from', 'yesterday')).code).toBe(2)
  })
})

describe('tidemark log verify', () => {
  it('says valid, and changes nothing', async () => {
    const dir = copy()
    const before = readdirSync(dir).map((name) => [name, statSync(path.join(dir, name)).mtimeMs])
    const { code, stdout, stderr } = await log('verify', dir, '--no-progress')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^log +valid$/m)
    expect(readdirSync(dir).map((name) => [name, statSync(path.join(dir, name)).mtimeMs])).toEqual(before)
  })

  it('lists every corrupt place with file, byte and LSN, and ends with 6', async () => {
    const dir = copy()
    const [first, second] = segments(dir) as [string, string]
    const snapshot = path.join(dir, snapshots(dir)[0]!)
    flip(snapshot, 100)
    expect((await log('verify', dir)).code).toBe(6)
    flip(first, 4096 + 1000)
    flip(second, 30)
    const { code, stdout } = await log('verify', dir)
    expect(code).toBe(6)
    expect(stdout).toMatch(/^log +CORRUPT/m)
    const place = new RegExp(`^batch +LSN (\\d+), byte (\\d+) of ${first}: .*, in a sealed segment`, 'm')
    const [, lsn, byte] = place.exec(stdout)!
    expect(Number(byte)).toBe(4096 + Number(lsn))
    expect(Number(lsn)).toBeLessThanOrEqual(1000)
    expect(stdout).toContain(`byte 0 of ${second}: copy 1 of the header is damaged`)
    expect(stdout).toContain(`${snapshot}: its header, its length or its CRC is wrong`)
    const json = JSON.parse((await log('verify', dir, '--json')).stdout)
    expect(json.verdict).toBe('corrupt')
    expect(json.damage.map(({ kind }: { kind: string }) => kind)).toEqual(['batch', 'header-copy'])
  })

  it('ends with 5 for a torn tail, which an opening then cuts', async () => {
    const dir = copy()
    const last = segments(dir).at(-1)!
    const used = readFileSync(last).findLastIndex((byte) => byte !== 0)
    // Into the sync marker that a clean close leaves: nothing says that it was synced.
    truncateSync(last, used - 12)
    const { code, stdout } = await log('verify', dir)
    expect(code).toBe(5)
    expect(stdout).toMatch(/^torn-tail +LSN/m)
    const pool = await EnginePool.open({ dir })
    expect((await pool.digest()).symbols).toEqual(made.digest)
    await pool.close()
    expect((await log('verify', dir)).code).toBe(0)
  })
})

describe('tidemark log dump', () => {
  it("prints the pool's own events, with symbols and decimals", async () => {
    const events = made.dumped.flatMap(({ lsn, symbol, tag, events }) =>
      events.map((event: object, index: number) => ({ lsn, index, symbol, tag, ...event })),
    )
    // The dump says the time once, of the whole record.
    const expected = made.events.map(({ timeUs: _, ...event }) => ({ ...event, tag: String(event.tag) }))
    expect(events).toEqual(JSON.parse(JSON.stringify(expected)))
  })

  it('takes ranges of LSN and time, types and symbols', async () => {
    const all = made.dumped
    const of = async (...args: string[]) =>
      lines((await log('dump', sample, '--json', ...args)).stdout).map((line) => JSON.parse(line))
    const [from, to] = [all[10]!.lsn, all[20]!.lsn]
    expect(await of('--from', `${from}`, '--to', `${to}`)).toEqual(all.slice(11, 21))
    expect(await of('--symbol', 'ETH-USD')).toEqual(all.filter(({ symbol }) => symbol === 'ETH-USD'))
    const trades = (record: { events: { event: string }[] }) =>
      record.events.some(({ event }) => event === 'trade')
    expect(await of('--type', 'trade')).toEqual(all.filter(trades))
    const middle = all[900]!.time
    expect(await of('--from', middle, '--symbol', 'BTC-USD')).toEqual(
      all.filter(({ time, symbol }) => time >= middle && symbol === 'BTC-USD'),
    )
    const [marker] = await of('--type', 'sync-marker')
    expect(marker).toMatchObject({ record: 'sync-marker' })
    const text = await log('dump', sample, '--from', `${all[1]!.lsn}`, '--to', `${all[2]!.lsn}`)
    expect(lines(text.stdout)[0]).toContain(`${all[2]!.symbol}  ${all[2]!.command.type} orderId=`)
  })

  it('knows the symbols of a log whose beginning is gone', async () => {
    const dir = copy()
    const pool = await EnginePool.open({ dir, keepLogBytes: 0, keepSnapshots: 1, ...small })
    await pool.checkpoint()
    await pool.submit(limit(70_000, 'buy', '77.50', '2.5'))
    await pool.close()
    const { code, stdout } = await log('dump', dir, '--json')
    expect(code).toBe(0)
    const dumped = lines(stdout).map((line) => JSON.parse(line))
    expect(dumped.every(({ command }) => command.type !== 'instrument')).toBe(true)
    expect(dumped.at(-1)).toMatchObject({
      symbol: 'BTC-USD',
      command: { price: '77.50', quantity: '2.50000' },
    })
    expect((await log('verify', dir)).code).toBe(0)
  })

  it('stops at damage and says where, while salvage continues after it', async () => {
    const dir = copy()
    flip(segments(dir)[0]!, 4096 + 5000)
    const dump = await log('dump', dir, '--json', '--no-progress')
    expect(dump.code).toBe(6)
    expect(dump.stderr).toMatch(/^The log is corrupt: LSN \d+, byte \d+ of .*salvage/)
    const salvage = await log('salvage', dir, '--json')
    expect(salvage.code).toBe(0)
    const found = lines(salvage.stdout).map((line) => JSON.parse(line))
    const all = made.dumped
    const gap = found.findIndex(({ skipped }) => skipped)
    expect(found.slice(0, gap)).toEqual(lines(dump.stdout).map((line) => JSON.parse(line)))
    // All records of the damaged batch are lost.
    const after = found.slice(gap + 1)
    const lost = all.length - gap - after.length
    expect(lost).toBeGreaterThan(0)
    expect(after).toEqual(all.slice(gap + lost))
    const { skipped } = found[gap]
    expect(skipped.fromLsn).toBeGreaterThanOrEqual(all[gap - 1]!.lsn)
    expect(skipped.toLsn).toBe(all[gap + lost - 1]!.lsn)
  })
})

describe('tidemark log dump --from', () => {
  it('begins at the segment that holds it: what is before is not read', async () => {
    const dir = copy()
    const from = made.dumped.findIndex(({ lsn }) => lsn > made.snapshotLsn + 1000)
    flip(segments(dir)[0]!, 4096 + 5000)
    const { code, stdout } = await log('dump', dir, '--json', '--from', `${made.dumped[from]!.lsn}`)
    expect(code).toBe(0)
    expect(lines(stdout).map((line) => JSON.parse(line))).toEqual(made.dumped.slice(from + 1))
    const later = new Date(Date.parse(made.dumped.at(-1)!.time) + 120_000).toISOString()
    expect(await log('dump', dir, '--from', later)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    // A clock may have been set back by less than a minute.
    expect((await log('dump', dir, '--from', made.dumped.at(-1)!.time)).code).toBe(6)
    // Without a snapshot the log must hold its instruments from the beginning.
    for (const name of snapshots(dir)) rmSync(path.join(dir, name))
    expect((await log('dump', dir, '--json', '--from', `${made.dumped[from]!.lsn}`)).code).toBe(6)
  })
})

describe('the tools that may stand beside a running pool', () => {
  it('run at a lower priority than the pool', async () => {
    const script = path.join(temporaryDirectory(), 'priority.mjs')
    const lines = [
      "import { getPriority } from 'node:os'",
      "process.on('exit', () => process.stderr.write('priority ' + getPriority()))",
    ]
    writeFileSync(script, lines.join('\n'))
    const priorityOf = async (...args: string[]) => {
      const { code, stderr } = await tidemarkProcess(['log', ...args], {
        environment: { NODE_OPTIONS: `--import ${script}` },
      })
      return [code, stderr]
    }
    const below = constants.priority.PRIORITY_BELOW_NORMAL
    expect(await priorityOf('verify', sample, '--no-progress')).toEqual([0, `priority ${below}`])
    const to = path.join(temporaryDirectory(), 'copy')
    for (const args of [
      ['stats', sample],
      ['dump', sample],
      ['backup', sample, to],
    ])
      expect(await log(...args, '--no-progress')).toMatchObject({ code: 0, stderr: '', priority: below })
    expect(await priorityOf('repair', sample, '--no-progress')).toEqual([0, `priority ${getPriority()}`])
  })
})

describe('tidemark log backup', () => {
  it('copies a closed log, which opens with the same books, and says what it copied', async () => {
    const dir = copy()
    const to = path.join(temporaryDirectory(), 'deep', 'copy')
    const { code, stdout, stderr } = await log('backup', dir, to, '--no-progress')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [, first, last] = /LSN (\d+) to (\d+)\.$/m.exec(stdout)!
    expect(Number(first)).toBeLessThanOrEqual(made.snapshotLsn)
    expect(Number(last)).toBeGreaterThanOrEqual(made.endLsn)
    expect((await log('verify', to)).code).toBe(0)
    const pool = await EnginePool.open({ dir: to })
    expect((await pool.digest()).symbols).toEqual(made.digest)
    expect(pool.recovery.tornTail).toBeUndefined()
    await pool.close()
    const json = await log('backup', dir, `${to}2`, '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ dir: `${to}2`, firstLsn: Number(first), running: false })
  })

  it('goes into an empty folder only, and needs a log', async () => {
    const to = temporaryDirectory()
    writeFileSync(path.join(to, 'mine'), '')
    for (const [result, code] of [
      [await log('backup', sample, to), 2],
      [await log('backup', sample, path.join(to, 'mine')), 1],
      [await log('backup', to, path.join(to, 'copy')), 3],
      [await log('backup', sample), 2],
    ] as const) {
      expect(result).toMatchObject({ code, stdout: '' })
      expect(result.stderr).toMatch(oneSentence)
    }
    expect(readdirSync(to)).toEqual(['mine'])
  })

  it('refuses a corrupt log, in a sealed segment or the last one, and leaves no file', async () => {
    for (const at of [-2, -1]) {
      const dir = copy()
      flip(segments(dir).at(at)!, 4096 + 500)
      const to = path.join(temporaryDirectory(), 'copy')
      const { code, stdout, stderr } = await log('backup', dir, to, '--no-progress')
      expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
      expect(stderr).toMatch(oneSentence)
      expect(stderr).toContain(segments(dir).at(at)!)
      expect(readdirSync(to)).toEqual([])
    }
  })

  it('leaves a torn tail out', async () => {
    const dir = copy()
    const last = segments(dir).at(-1)!
    const used = readFileSync(last).findLastIndex((byte) => byte !== 0)
    truncateSync(last, used - 12)
    const to = path.join(temporaryDirectory(), 'copy')
    expect((await log('backup', dir, to)).code).toBe(0)
    const pool = await EnginePool.open({ dir: to })
    expect(pool.recovery.tornTail).toBeUndefined()
    expect((await pool.digest()).symbols).toEqual(made.digest)
    await pool.close()
  })
})

describe('tidemark log repair', () => {
  it('changes nothing without --yes; with it the log opens up to the damage, and the rest is in the backup', async () => {
    const dir = copy()
    // After the snapshot: what the books need from there on is gone.
    const file = segments(dir).findLast((name) => Number(path.basename(name, '.wal')) > made.snapshotLsn)!
    flip(file, 4096 + 500)
    const before = readdirSync(dir)
    const dry = await log('repair', dir)
    expect(dry.code).toBe(6)
    expect(dry.stdout).toMatch(/^LOST from the log: LSN \d+ to \d+/m)
    expect(dry.stdout).toContain('Nothing was changed.')
    expect(readdirSync(dir)).toEqual(before)

    const done = await log('repair', dir, '--yes')
    expect(done.code).toBe(0)
    const [, backup] = /^Backed up to (.*)\.$/m.exec(done.stdout)!
    expect(readdirSync(backup!)).toContain(path.basename(file))
    expect((await log('verify', dir)).code).toBe(0)
    const end = Number(/cuts .*, LSN (\d+)$/m.exec(done.stdout)![1])
    const pool = await EnginePool.open({ dir })
    const events: PoolEvent[] = []
    for await (const event of pool.subscribe({ from: 0, to: end })) events.push(event)
    expect(events).toEqual(made.events.filter(({ lsn }) => lsn <= end))
    await pool.close()
  })

  it('loses no book when the damage lies below a snapshot', async () => {
    const dir = copy()
    flip(segments(dir)[0]!, 4096 + 5000)
    const done = await log('repair', dir, '--yes')
    expect(done.stdout).toContain('the books will be whole')
    expect(done.code).toBe(0)
    const pool = await EnginePool.open({ dir })
    expect((await pool.digest()).symbols).toEqual(made.digest)
    await pool.close()
  })

  it('prints one object with --json: what is lost, and how many records of it can be read; with --yes what was done', async () => {
    const dir = copy()
    const file = segments(dir).findLast((name) => Number(path.basename(name, '.wal')) > made.snapshotLsn)!
    flip(file, 4096 + 500)
    const [, from, to, records] = /^LOST from the log: LSN (\d+) to (\d+), .* with ([\d,]+) records/m.exec(
      (await log('repair', dir)).stdout,
    )!
    const dry = await log('repair', dir, '--json')
    const lost = [{ fromLsn: Number(from), toLsn: Number(to), records: Number(records!.replaceAll(',', '')) }]
    expect(lost[0]!.records).toBeGreaterThan(0)
    // Not those of the damaged batch.
    expect(lost[0]!.records).toBeLessThan(made.dumped.filter(({ lsn }) => lsn > lost[0]!.fromLsn).length)
    expect(dry).toMatchObject({ code: 6, stdout: expect.stringMatching(/^\{.*\}\n$/) })
    expect(JSON.parse(dry.stdout)).toMatchObject({ directory: dir, verdict: 'corrupt', lost, done: false })
    const done = await log('repair', dir, '--yes', '--json')
    expect(done).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\{.*\}\n$/) })
    const report = JSON.parse(done.stdout)
    expect(report).toMatchObject({ verdict: 'corrupt', lost, done: true, verdictAfter: 'valid' })
    expect(report.actions).toContainEqual(expect.objectContaining({ kind: 'cut', lsn: Number(from) }))
    expect(readdirSync(report.backup)).toContain(path.basename(file))
    const valid = await log('repair', dir, '--json')
    expect(JSON.parse(valid.stdout)).toMatchObject({ verdict: 'valid', actions: [], lost: [], done: false })
  })

  it('says that there is nothing to repair in a valid log', async () => {
    const { code, stdout } = await log('repair', copy(), '--yes')
    expect({ code, stdout: stdout.slice(-31) }).toEqual({
      code: 0,
      stdout: 'there is nothing to repair.\n'.padStart(31, 'd; '),
    })
  })
})

describe('beside a running pool', () => {
  it('all but repair work, whatever the pool does meanwhile', async () => {
    const dir = temporaryDirectory()
    const pool = await EnginePool.open({
      dir,
      instruments: [bitcoin, ether],
      keepLogBytes: 100_000,
      ...small,
    })
    const random = new Random(9)
    let running = true
    let submitted = 0
    const load = (async () => {
      for (; running; submitted += 200) {
        await pool.submitBatch(flow(random, 200, 1 + submitted))
        if (submitted % 2000 === 0) await pool.checkpoint()
      }
    })()
    try {
      for (let i = 0; i < 2; i++) {
        const verify = await outside('verify', dir, '--no-progress')
        expect(verify).toMatchObject({ code: 0, stderr: '' })
      }
      const stats = await outside('stats', dir, '--no-progress')
      expect({ code: stats.code, stderr: stats.stderr }).toEqual({ code: 0, stderr: '' })
      const dumped = await outside('dump', dir, '--json', '--no-progress')
      expect({ code: dumped.code, stderr: dumped.stderr }).toEqual({ code: 0, stderr: '' })
      for (let round = 0; round < 2; round++) {
        const order = await pool.submit({ ...limit(50_000_000 + round, 'buy', '1', '1'), symbol: 'ETH-USD' })
        const to = path.join(temporaryDirectory(), 'copy')
        const { code, stdout, stderr } = await outside('backup', dir, to, '--json', '--no-progress')
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
        const report = JSON.parse(stdout)
        expect(report.running).toBe(true)
        expect(report.endLsn).toBeGreaterThanOrEqual(order.lsn)
        expect(report.endLsn).toBeLessThanOrEqual(pool.durableLsn)
        const twin = await EnginePool.open({ dir: to })
        expect((await twin.order('ETH-USD', 50_000_000 + round)).order).toBeDefined()
        expect(twin.recovery.tornTail).toBeUndefined()
        await twin.close()
      }
      const repair = await outside('repair', dir, '--yes', '--no-progress')
      expect(repair).toMatchObject({ code: 1, stdout: '' })
      expect(repair.stderr).toMatch(oneSentence)
      expect(repair.stderr).toContain('is open, in this process or another')
    } finally {
      running = false
      await load
      await pool.close()
    }
    expect(submitted).toBeGreaterThan(2000)
    expect((await log('verify', dir)).code).toBe(0)
  })
})
