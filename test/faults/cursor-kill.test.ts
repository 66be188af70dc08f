import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/pool/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { eventsOf } from '../support/pools.js'
import { Random } from '../support/random.js'
import { root } from '../support/run-script.js'
import { placeOf, takeUpTo } from '../support/subscribers.js'
import { temporaryDirectory } from '../support/temporary.js'

const kills = faultCount('cursor-kill', { short: 2, full: 100 })

interface Life {
  /** "LSN/index event" of every event that was given. */
  readonly given: string[]
  readonly acknowledged: number
  readonly flushed: number
}

/** Runs a child that consumes by a cursor, and kills it after a random number of lines. */
async function runAndKill(dir: string, seed: number, keepLogBytes: number): Promise<Life> {
  const lines = 1 + new Random(seed).int(3000)
  const child = spawn(process.execPath, [`${root}/test/support/cursor-child.mjs`], {
    cwd: root,
    env: {
      ...process.env,
      DIR: dir,
      SEED: String(seed),
      FIRST_ORDER: String(seed * 1_000_000),
      KEEP_LOG_BYTES: String(keepLogBytes),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    seen += chunk.split('\n').length - 1
    if (seen >= lines) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const said = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  const last = (kind: string) => Number(said.findLast((line) => line.startsWith(kind))?.split(' ')[1] ?? 0)
  return {
    given: said
      .filter((line) => line.startsWith('d'))
      .map((line) => {
        const [, lsn, index, event] = line.split(' ')
        return `${lsn}/${index} ${event}`
      }),
    acknowledged: last('a'),
    flushed: last('f'),
  }
}

describe('a consumer by a cursor that is killed at any moment', () => {
  it(`skips nothing, and is not given again what it knew to be stored (${kills} kills)`, async () => {
    let redelivered = 0
    for (const folder of faultCases(Math.ceil(kills / 5))) {
      const start = folder * 5 + 1
      const dir = temporaryDirectory()
      // Every other folder keeps its log, so that all that was given can be compared with it.
      const keepLogBytes = start % 10 === 1 ? Number.POSITIVE_INFINITY : 0
      const known = new Map<string, number>()
      const order: string[] = []
      let acknowledged = 0
      let flushed = 0
      const check = (given: readonly string[], what: string) => {
        if (given.length === 0) return
        const firstLsn = Number(given[0]!.split('/')[0])
        expect(firstLsn, `${what}: flushed ${flushed}`).toBeGreaterThan(flushed)
        // It continues within what was given before, or right after it: from there on the same, then new ones.
        const at = known.get(given[0]!) ?? order.length
        if (at < order.length) redelivered++
        const before = at === 0 ? 0 : Number(order[at - 1]!.split('/')[0])
        expect(before, `${what}: skipped what was not acknowledged`).toBeLessThanOrEqual(acknowledged)
        const common = Math.min(order.length - at, given.length)
        expect(given.slice(0, common).join('\n') === order.slice(at, at + common).join('\n'), what).toBe(true)
        for (const place of given.slice(common)) {
          expect(known.has(place), `${what}: ${place} again`).toBe(false)
          known.set(place, order.length)
          order.push(place)
        }
      }
      for (let seed = start; seed < Math.min(start + 5, kills + 1); seed++) {
        const life = await runAndKill(dir, seed, keepLogBytes)
        check(life.given, `seed ${seed}`)
        acknowledged = Math.max(acknowledged, life.acknowledged)
        flushed = Math.max(flushed, life.flushed)
      }
      const pool = await EnginePool.open({ dir })
      const [cursor] = pool.cursors()
      expect(cursor).toMatchObject({ name: 'risk', state: 'valid' })
      expect(cursor!.lsn).toBeLessThanOrEqual(acknowledged)
      expect(cursor!.lsn).toBeGreaterThanOrEqual(flushed)
      const subscription = pool.subscribe({ cursor: 'risk' })
      const { lsn } = await pool.addInstrument({ symbol: `LAST-${start}`, tickSize: '1', lotSize: '1' })
      check((await takeUpTo(subscription, lsn)).map(placeOf), `seeds from ${start}, the rest`)
      if (keepLogBytes > 0) {
        const logged = (await eventsOf(pool)).map(placeOf)
        expect(order.join('\n') === logged.join('\n'), `seeds from ${start}: given is what is logged`).toBe(
          true,
        )
      }
      await pool.close()
      expect(order.at(-1)).toBe(`${lsn}/0 instrument-created`)
      const lsns = order.map((place) => Number(place.split('/')[0]))
      expect(lsns).toEqual(lsns.toSorted((a, b) => a - b))
    }
    expect(redelivered).toBeGreaterThan(0)
  })
})
