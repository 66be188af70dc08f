import { describe, expect, it } from 'vitest'
import { runScript } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

/**
 * In a process that may have so many files open, `fill` leaves `free` of them and `release` gives all back. The limit is well
 * above what the threads of a pool open at once to load their code: each reads all its modules beside one another.
 */
const prelude = `
  import * as fs from 'node:fs'
  import { EnginePool } from '#tidemark/index.js'
  import { DurableLog } from '#tidemark/log/index.js'
  const hog = []
  const release = () => { for (const file of hog.splice(0)) fs.closeSync(file) }
  const fill = (free) => {
    try { for (;;) hog.push(fs.openSync('/dev/null')) } catch {}
    for (let i = 0; i < free; i++) fs.closeSync(hog.pop())
  }
  const say = (line) => fs.writeSync(1, JSON.stringify(line) + '\\n')
  const instruments = [{ symbol: 'A', tickSize: '1', lotSize: '1' }]
  const order = (orderId) => ({ type: 'new', symbol: 'A', orderId, account: 1, side: 'buy', orderType: 'limit', price: '1', quantity: '1' })
  const dir = process.env.DIR
`

async function withFewDescriptors(script: string): Promise<unknown[]> {
  const limited = `
    import { spawnSync } from 'node:child_process'
    const child = spawnSync('sh', ['-c', 'ulimit -n 256 && exec "$0" --input-type=module -e "$SCRIPT"', process.execPath], { encoding: 'utf8' })
    process.stdout.write(child.stdout)
    process.stderr.write(child.stderr)
    process.exitCode = child.status ?? 99`
  const run = await runScript(limited, { DIR: temporaryDirectory(), SCRIPT: prelude + script })
  expect(run.stderr).toBe('')
  expect(run.code).toBe(0)
  return run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe.skipIf(process.platform === 'win32')('a process that has no file descriptor free', () => {
  it('gets an error with a code from opening and backup, and lives on, however few are free', async () => {
    const lines = (await withFewDescriptors(`
      const attempt = async (what, free, call) => {
        fill(free)
        const code = await call().then(() => 'done', (error) => error.code)
        release()
        say({ what, free, code })
      }
      for (let free = 0; free < 12; free++)
        await attempt('log', free, async () => (await DurableLog.open({ dir: dir + '/log' })).close())
      for (let free = 0; free < 24; free++)
        await attempt('pool', free, async () => (await EnginePool.open({ dir: dir + '/pool', instruments })).close())
      const pool = await EnginePool.open({ dir: dir + '/pool', instruments })
      for (let free = 0; free < 10; free++) await attempt('backup', free, () => pool.backup(dir + '/backup' + free))
      // The preallocator may have met the same, and needs a moment to find descriptors again.
      while (!(await pool.submit(order(1)).then(() => true, (error) => error.code !== 'TIDEMARK_TOO_MANY_FILES')))
        await new Promise((resolve) => setTimeout(resolve, 50))
      await pool.close()
      say({ what: 'end', free: 0, code: 'done' })`)) as { what: string; free: number; code: string }[]
    expect(lines).toHaveLength(12 + 24 + 10 + 1)
    expect(lines.at(-1)).toMatchObject({ what: 'end', code: 'done' })
    // Where Node has no descriptor to look for a module, it says that there is none: the thread died of that.
    for (const line of lines)
      expect(line.code, JSON.stringify(line)).toMatch(/^(done|TIDEMARK_TOO_MANY_FILES|TIDEMARK_THREAD_DIED)$/)
    for (const what of ['log', 'pool', 'backup'])
      expect(lines.find((line) => line.what === what)).toMatchObject({ code: 'TIDEMARK_TOO_MANY_FILES' })
  })

  it.each([0, 1, 2])(
    'at its first opening opens when there are some again, with %d free before',
    async (free) => {
      const lines = await withFewDescriptors(`
      const open = async () => (await EnginePool.open({ dir, instruments })).close()
      const outcome = () => open().then(() => 'done', (error) => error.code)
      fill(${free})
      const first = await outcome()
      release()
      say({ first, second: await outcome() })`)
      expect(lines).toEqual([{ first: 'TIDEMARK_TOO_MANY_FILES', second: 'done' }])
    },
  )

  it('has given up its folder after a close that found none', async () => {
    const lines = await withFewDescriptors(`
      import { DurableFactorEngine } from '#tidemark/factors/index.js'
      import { JobController } from '#tidemark/jobs/index.js'
      const openings = {
        log: () => DurableLog.open({ dir: dir + '/log' }),
        pool: () => EnginePool.open({ dir: dir + '/pool', instruments }),
        jobs: () => JobController.open({ dir: dir + '/jobs' }),
        factors: () => DurableFactorEngine.open({ dir: dir + '/factors' }),
      }
      for (const [what, open] of Object.entries(openings)) {
        const opened = await open()
        fill(0)
        // Threads that end leave descriptors free.
        const filling = setInterval(() => fill(0), 0)
        const code = await opened.close().then(() => 'done', (error) => error.code)
        clearInterval(filling)
        release()
        await (await open()).close()
        say({ what, code })
      }`)
    const code = expect.stringMatching(/^(done|TIDEMARK_TOO_MANY_FILES)$/)
    expect(lines).toEqual(['log', 'pool', 'jobs', 'factors'].map((what) => ({ what, code })))
  })

  it('is refused new commands when a segment is due, for that reason, and continues by itself when there are some', async () => {
    const lines = (await withFewDescriptors(`
      const pool = await EnginePool.open({ dir, instruments, segmentBytes: 262144, ringBytes: 65536 })
      pool.on('error', (error) => say({ event: 'error', code: error.code }))
      const full = new Promise((resolve) => pool.once('diskFull', resolve))
      const ready = new Promise((resolve) => pool.once('diskReady', resolve))
      let id = 0
      const load = async (count) => {
        const outcomes = await Promise.allSettled(Array.from({ length: count }, () => pool.submit(order(++id))))
        return outcomes.map(({ status, reason }) => (status === 'fulfilled' ? 'done' : reason.code))
      }
      let done = (await load(200)).length
      const codes = new Set()
      // Again and again: a file that is closed leaves a descriptor, and one is enough for the next segment.
      for (let i = 0; i < 500 && !codes.has('TIDEMARK_TOO_MANY_FILES'); i++) {
        fill(0)
        for (const code of await load(200)) code === 'done' ? done++ : codes.add(code)
      }
      say({ event: 'diskFull', code: (await full).code })
      say({ event: 'refused', codes: [...codes] })
      say({ event: 'checkpoint', code: await pool.checkpoint().then(() => 'done', (error) => error.code) })
      say({ event: 'depth', lsn: (await pool.depth('A')).lsn > 0 })
      release()
      await ready
      done += (await load(100)).filter((code) => code === 'done').length
      await pool.close()
      const again = await EnginePool.open({ dir })
      say({ event: 'end', same: (await again.digest()).restingOrders === done, refused: id > done })
      await again.close()`)) as object[]
    expect(lines).toEqual([
      { event: 'diskFull', code: 'TIDEMARK_TOO_MANY_FILES' },
      { event: 'refused', codes: ['TIDEMARK_TOO_MANY_FILES'] },
      { event: 'checkpoint', code: 'TIDEMARK_TOO_MANY_FILES' },
      { event: 'depth', lsn: true },
      { event: 'end', same: true, refused: true },
    ])
  })
})
