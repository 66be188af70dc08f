import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import * as path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { root } from '../support/cli.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'
import { resumeInputs } from '../support/resume-inputs.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('resume', { short: 3, full: 100 })
/** Kills of each folder: several, so that what a resumed run left is killed as well. */
const killsEach = 2
/** Small enough that a run of some thousand commands rotates, preallocates segments and takes checkpoints. */
const environment = {
  TIDEMARK_SEGMENT_BYTES: '262144',
  TIDEMARK_RING_BYTES: '262144',
  TIDEMARK_CHECKPOINT_BYTES: '60000',
}
const disk = new NodeDisk()

interface Run {
  readonly args: readonly string[]
  readonly dir: string
  readonly reports: string
}

/** What must not depend on how often a run was killed. */
interface Result {
  /** Report lines without their LSN, by symbol. */
  readonly lines: Record<string, string[]>
  /** The same in the order of the file. */
  readonly text: string
  readonly digest: Readonly<Record<string, string>>
  readonly trades: Record<string, string[]>
}

function start({ args, dir, reports }: Run, resume = true) {
  const main = path.join(root, 'dist/src/cli/main.js')
  const all = [main, 'run', ...args, '--dir', dir, '--reports', reports, '--window', '300', '--no-progress']
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_'))
  const child = spawn(process.execPath, resume ? [...all, '--resume'] : all, {
    env: { ...Object.fromEntries(outside), ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let printed = ''
  child.stderr.on('data', (chunk) => (printed += chunk))
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, printed }))
  return { child, ended }
}

/** Where the log ends that a process is writing: what it journalled so far. */
function journalled(dir: string): number {
  if (!existsSync(dir)) return 0
  try {
    return inspectLogNow(disk, dir, {}, { settle: false }).lastWholeEndLsn
  } catch {
    return 0
  }
}

/** What a kill waits for: an LSN, a length of the report file, or a file that stands for work in the middle. */
function killMoment(
  random: Random,
  { dir, reports }: Run,
  endLsn: number,
): { name: string; seen: () => boolean } {
  const from = journalled(dir)
  const files = [/^recovery\..*\.tmp$/, /^snapshot\..*\.tmp$/, /^LOCK$/]
  const what = random.int(6)
  if (what === 0) {
    const name = files[random.int(files.length)]!
    const seen = () => existsSync(dir) && readdirSync(dir).some((file) => name.test(file))
    return { name: String(name), seen }
  }
  if (what === 1) {
    const before = existsSync(dir) ? readdirSync(dir).length : 0
    const more = 1 + random.int(3)
    return {
      name: `${more} files more`,
      seen: () => existsSync(dir) && readdirSync(dir).length >= before + more,
    }
  }
  if (what === 2) {
    const bytes = random.int(400_000)
    return {
      name: `${bytes} bytes of reports`,
      seen: () => existsSync(reports) && statSync(reports).size > bytes,
    }
  }
  // More often early in what is left than late, so that the next kill finds something to do.
  const lsn = from + Math.floor((endLsn - from) * random.next() * random.next())
  return { name: `LSN ${lsn}`, seen: () => journalled(dir) > lsn }
}

/** Starts the run and kills it at a moment that the seed chooses; says whether it had not finished before. */
async function kill(run: Run, random: Random, endLsn: number): Promise<boolean> {
  const moment = killMoment(random, run, endLsn)
  const { child, ended } = start(run)
  let over = false
  ended.then(() => (over = true))
  while (!over && !moment.seen()) await delay(1)
  child.kill('SIGKILL')
  const { code, signal, printed } = await ended
  expect(signal ?? code, `${moment.name}: ${printed}`).toBeOneOf(['SIGKILL', 0])
  return signal === 'SIGKILL'
}

/** What a crash of the machine, or another program, may leave of the report file. */
function damageReports(random: Random, reports: string): void {
  if (!existsSync(reports)) return
  const { size } = statSync(reports)
  const what = random.int(8)
  if (what === 0) rmSync(reports)
  else if (what < 4) truncateSync(reports, random.int(size + 1))
  else if (what === 4) appendFileSync(reports, '{"lsn":12,"comm')
  else if (what === 5) appendFileSync(reports, Buffer.alloc(random.int(5000)))
}

async function resultOf({ dir, reports }: Run): Promise<Result> {
  const text = readFileSync(reports, 'utf8').replace(/^\{"lsn":\d+,/gm, '{')
  const lines: Record<string, string[]> = {}
  for (const line of text.trimEnd().split('\n')) {
    const { symbol } = JSON.parse(line)
    lines[symbol] ??= []
    lines[symbol].push(line)
  }
  const pool = await EnginePool.open({ dir, segmentBytes: 262_144, ringBytes: 262_144 })
  try {
    const { symbols: digest } = await pool.digest()
    const trades: Record<string, string[]> = {}
    for await (const event of pool.subscribe({ from: 0, to: pool.durableLsn })) {
      expect(event.event).not.toBe('repeated')
      if (event.event !== 'trade') continue
      const { lsn: _, index: __, timeUs: ___, tag, ...trade } = event
      trades[event.symbol] ??= []
      trades[event.symbol]!.push(JSON.stringify({ ...trade, tag: String(tag) }))
    }
    return { lines, text, digest, trades }
  } finally {
    await pool.close()
  }
}

async function uninterrupted(args: readonly string[], resume: boolean) {
  const folder = temporaryDirectory()
  const run = { args, dir: path.join(folder, 'log'), reports: path.join(folder, 'reports.jsonl') }
  const { code, printed } = await start(run, resume).ended
  expect({ code, printed }).toEqual({ code: 0, printed: '' })
  return { ...(await resultOf(run)), endLsn: journalled(run.dir) }
}

describe('tidemark run --resume, killed at any moment and started again', () => {
  it(`ends with the books, trades and report lines of a run that was never killed (${kills} kills)`, async () => {
    const inputs = resumeInputs(temporaryDirectory())
    const expected = new Map<string, Awaited<ReturnType<typeof uninterrupted>>>()
    let wanted = 0
    let killed = 0
    for (const seed of faultCases(Math.ceil(kills / killsEach))) {
      const random = new Random(seed)
      const [format, input] = Object.entries(inputs)[seed % 4]!
      const shards = 1 + ((seed + Math.floor(seed / 4)) % 2)
      const args = [...input, '--shards', String(shards)]
      /** A folder written with two shards may be continued with one. */
      const next = () => (shards === 1 ? args : [...input, '--shards', String(1 + random.int(2))])
      const name = `seed ${seed}, ${format}, ${shards} shards`
      if (!expected.has(args.join(' '))) {
        const result = await uninterrupted(args, true)
        if (shards === 1) {
          // Request ids and accounts change nothing of what comes out.
          const plain = await uninterrupted(args, false)
          expect(difference({ ...plain, digest: {} }, { ...result, digest: {} }), name).toBeUndefined()
        }
        expected.set(args.join(' '), result)
      }
      const { endLsn, ...reference } = expected.get(args.join(' '))!
      const folder = temporaryDirectory()
      const run = { dir: path.join(folder, 'log'), reports: path.join(folder, 'reports.jsonl') }
      for (let times = 0; times < killsEach; times++) {
        wanted++
        if (await kill({ ...run, args: next() }, random, endLsn)) killed++
        damageReports(random, run.reports)
      }
      const { code, printed } = await start({ ...run, args: next() }).ended
      expect({ code, printed }, name).toEqual({ code: 0, printed: '' })
      const { text, ...result } = await resultOf({ ...run, args })
      expect(difference(result, reference), name).toBeUndefined()
      // With one shard the log is in the order of the input; with more, each symbol's part of it is.
      if (shards === 1) expect(text === reference.text, name).toBe(true)
      rmSync(folder, { recursive: true })
    }
    process.stdout.write(`${killed} of ${wanted} runs were killed before they had finished\n`)
    expect(killed).toBeGreaterThanOrEqual(wanted / 2)
  }, 1_800_000)
})

type Compared = Omit<Result, 'text'>

/** The first place where two results differ. */
function difference(result: Compared, { lines, digest, trades }: Result): string | undefined {
  for (const [what, one, other] of [
    ['line', result.lines, lines],
    ['trade', result.trades, trades],
  ] as const) {
    for (const symbol of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const [got, wanted] = [one[symbol] ?? [], other[symbol] ?? []]
      const length = Math.max(got.length, wanted.length)
      for (let i = 0; i < length; i++) {
        if (got[i] !== wanted[i]) return `${what} ${i} of ${symbol} is ${got[i]}, should be ${wanted[i]}`
      }
    }
  }
  const books = [JSON.stringify(result.digest), JSON.stringify(digest)]
  return books[0] === books[1] ? undefined : `books ${books[0]}, should be ${books[1]}`
}
