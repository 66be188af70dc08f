import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import {
  decodeCommand,
  decodeEvents,
  GroupBuffer,
  MatchingEngine,
  rulesVersion,
} from '#tidemark/matching/index.js'
import { NaiveEngine } from '#tidemark/matching/naive-book.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { wordsOf } from '#tidemark/pool/replay.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = Number(process.env['TIDEMARK_KILLS'] ?? 25)

interface Acknowledgement {
  symbol: string
  tag: number
  lsn: number
  status: string
  trades: [number, number, number, string, string][]
}

/** Runs a child that submits and acknowledges, kills it after a random time, and returns what it acknowledged. */
async function runAndKill(dir: string, seed: number, firstOrder: number): Promise<Acknowledgement[]> {
  const random = new Random(seed)
  const child = spawn(process.execPath, [`${root}/test/support/kill-child.mjs`], {
    cwd: root,
    env: {
      ...process.env,
      DIR: dir,
      SEED: String(seed),
      SHARDS: String(1 + random.int(2)),
      IN_FLIGHT: String([1, 20, 200][random.int(3)]),
      FIRST_ORDER: String(firstOrder),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk))
  await once(child.stdout, 'data')
  await delay(random.int(250))
  child.kill('SIGKILL')
  await once(child, 'close')
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return lines.map((line) => JSON.parse(line))
}

describe('a process killed at any moment', () => {
  it(`keeps every acknowledged command and trade, in a gap-free log, with the book of a naive replay (${kills} kills)`, async () => {
    let acknowledged = 0
    // Each folder is killed five times over, so that recovered logs are killed as well.
    for (let start = 1; start <= kills; start += 5) {
      const dir = temporaryDirectory()
      const everything: Acknowledgement[][] = []
      for (let seed = start; seed < Math.min(start + 5, kills + 1); seed++) {
        everything.push(await runAndKill(dir, seed, seed * 1_000_000))
        acknowledged += everything.at(-1)!.length
        await check(dir, everything, seed)
      }
    }
    expect(acknowledged).toBeGreaterThan(kills)
  }, 600_000)
})

async function check(dir: string, lives: Acknowledgement[][], seed: number): Promise<void> {
  const log = await DurableLog.open({ dir, contentVersion: rulesVersion })
  const symbols: string[] = []
  const groups = new Map<number, { tag: number; symbol: string; trades: unknown[] }>()
  const tags = new Map<string, number[]>()
  const naive = new NaiveEngine()
  const fast = new MatchingEngine()
  const group = new GroupBuffer()
  for await (const { lsn, payload } of log.reader({ to: log.durableLsn })) {
    const words = wordsOf({ payload } as never)
    const command = decodeCommand(words, 0)!
    const events = decodeEvents(words, 0, words.length)
    // The cheap comparison first: vitest's own costs more than all the rest.
    const replayed = naive.apply(command)
    if (JSON.stringify(replayed) !== JSON.stringify(events))
      expect(replayed, `seed ${seed}, LSN ${lsn}`).toEqual(events)
    group.reset()
    fast.apply(words, 0, group)
    if (command.type === 'instrument') {
      symbols[command.instrumentId] = command.symbol
      continue
    }
    const symbol = symbols[command.instrumentId]!
    if (!tags.has(symbol)) tags.set(symbol, [])
    tags.get(symbol)!.push(command.tagLow)
    const trades = events.flatMap((event) =>
      event.event === 'trade'
        ? [
            [
              event.tradeId,
              event.makerOrderId,
              event.takerOrderId,
              String(event.price),
              String(event.quantity),
            ],
          ]
        : [],
    )
    groups.set(lsn, { tag: command.tagLow, symbol, trades })
  }
  await log.close()

  for (const { lsn, symbol, tag, trades } of lives.flat()) {
    const group = groups.get(lsn)
    if (JSON.stringify(group) === JSON.stringify({ tag, symbol, trades })) continue
    expect(group, `seed ${seed}, acknowledged LSN ${lsn}`).toEqual({ symbol, tag, trades })
  }
  // Each life numbers its commands from 0 for each symbol: a gap would break a run of consecutive numbers.
  for (const [symbol, numbers] of tags) {
    numbers.forEach((tag, i) => {
      expect(
        tag === 0 || tag === numbers[i - 1]! + 1,
        `seed ${seed}, ${symbol}: ${tag} behind ${numbers[i - 1]}`,
      ).toBe(true)
    })
  }
  const pool = await EnginePool.open({ dir })
  const digest = await pool.digest()
  for (const [id, symbol] of symbols.entries()) {
    expect(fast.bookState(id)).toEqual(naive.bookState(id))
    expect(digest.symbols[symbol], `seed ${seed}, ${symbol}`).toBe(fast.digest(id))
  }
  await pool.close()
}
