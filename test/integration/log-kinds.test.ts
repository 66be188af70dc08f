import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DurableFactorEngine, FactorConsumer, FactorPersister, FactorPool } from '#tidemark/factors/index.js'
import { dumpLog, JobController, JobLog, lastEvent, logStats, validateLog } from '#tidemark/jobs/index.js'
import { readStoredJobs } from '#tidemark/jobs/state/job-store.js'
import { DurableLog } from '#tidemark/log/index.js'
import { backupFolder, EnginePool } from '#tidemark/pool/index.js'
import { tidemark } from '../support/cli.js'
import { bitcoin, limit } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const kinds = ['pool', 'jobs', 'factors', 'log', 'venue'] as const
type Kind = (typeof kinds)[number]

/** For all tests of this file: those of `temporaryDirectory` are one test's. */
const base = mkdtempSync(path.join(tmpdir(), 'tidemark-kinds-'))
const at = (name: string) => path.join(base, name)

/** A folder of each kind, with something in its log. */
async function makeFolders(): Promise<Record<Kind, string>> {
  const pool = await EnginePool.open({ dir: at('pool'), instruments: [bitcoin] })
  await pool.submit(limit(1, 'buy', '90', '1'))
  await pool.close()
  const jobs = at('jobs')
  const queue = await JobController.open({ dir: jobs })
  await queue.enqueue({ id: 'a', payload: 1 })
  await queue.close()
  const factors = at('factors')
  const engine = await DurableFactorEngine.open({ dir: factors })
  engine.registerAll('A', { m: 'mean(last, 2)' })
  engine.processTick({ instrument: 'A', timestamp: 1, last: 1 })
  await engine.close()
  const [log, venue] = [at('log'), at('venue')]
  for (const [dir, kind] of [
    [log, undefined],
    [venue, 'venue'],
  ] as const) {
    const own = await DurableLog.open({ dir, ...(kind && { kind }) })
    own.append(Buffer.from('a record'))
    await own.close()
  }
  return { pool: pool.dir, jobs, factors, log, venue }
}

/** Everything in a folder: names, and the bytes of each file. */
function contentOf(dir: string): Map<string, string> {
  const content = new Map<string, string>()
  for (const name of readdirSync(dir, { recursive: true }) as string[]) {
    const file = path.join(dir, name)
    content.set(name, statSync(file).isDirectory() ? 'folder' : readFileSync(file, 'latin1'))
  }
  return content
}

let copies = 0
const target = () => at(`copy-${++copies}`)
const closing = async (opening: Promise<{ close(): Promise<unknown> }>) => (await opening).close()
const keepFinished = { count: 10, ageMs: 1000 }

/** What opens, recovers, copies or reads a folder as that of one kind. */
const calls: readonly [name: string, kind: Kind, call: (dir: string) => unknown][] = [
  ['EnginePool.open', 'pool', (dir) => closing(EnginePool.open({ dir }))],
  ['backupFolder', 'pool', (dir) => backupFolder(dir, target(), { closed: true })],
  ['JobController.open', 'jobs', (dir) => closing(JobController.open({ dir }))],
  ['JobLog.open', 'jobs', (dir) => closing(JobLog.open(dir))],
  ['validateLog', 'jobs', (dir) => validateLog(dir)],
  ['logStats', 'jobs', (dir) => logStats(dir)],
  ['lastEvent', 'jobs', (dir) => lastEvent(dir)],
  ['dumpLog', 'jobs', (dir) => [...dumpLog(dir)]],
  ['readStoredJobs', 'jobs', (dir) => readStoredJobs(dir, keepFinished)],
  [
    'DurableFactorEngine.open',
    'factors',
    (dir) => closing(DurableFactorEngine.open({ dir, reclaimLog: true })),
  ],
  ['FactorConsumer.open', 'factors', (dir) => closing(FactorConsumer.open({ dir }))],
  ['FactorPool.open', 'factors', (dir) => closing(FactorPool.open({ dir, workers: 1 }))],
  ['DurableLog.open', 'log', (dir) => closing(DurableLog.open({ dir }))],
  ['DurableLog.open of a kind', 'venue', (dir) => closing(DurableLog.open({ dir, kind: 'venue' }))],
]

const ticks = at('ticks.csv')
const handler = at('handler.mjs')

/** The same of the command line. */
const commands: readonly [kind: Kind, args: (dir: string) => string[]][] = [
  ['pool', (dir) => ['run', '--commands', '5', '--no-progress', '--dir', dir]],
  ['pool', (dir) => ['log', 'backup', dir, target(), '--no-progress']],
  ['pool', (dir) => ['log', 'repair', dir, '--yes', '--no-progress']],
  ['venue', (dir) => ['log', 'repair', dir, '--kind', 'venue', '--yes', '--no-progress']],
  ['jobs', (dir) => ['jobs', 'status', dir]],
  ['jobs', (dir) => ['jobs', 'validate', dir]],
  ['jobs', (dir) => ['jobs', 'dump', dir]],
  ['jobs', (dir) => ['jobs', 'enqueue', dir, '{}']],
  ['jobs', (dir) => ['jobs', 'run', dir, '--handler', handler, '--until-empty']],
  ['factors', (dir) => ['factors', 'recover', dir]],
  [
    'factors',
    (dir) => [
      'factors',
      'run',
      ticks,
      '--factor',
      'm=mean(last,2)',
      '--dir',
      dir,
      '--append',
      '--no-progress',
    ],
  ],
]

describe('a folder of another kind', () => {
  let folders: Record<Kind, string>
  beforeAll(async () => {
    folders = await makeFolders()
    writeFileSync(ticks, 'last\n1\n2\n3\n')
    writeFileSync(handler, 'export default () => {}')
  })

  afterAll(() => rmSync(base, { recursive: true, force: true }))

  const others = (kind: Kind) => kinds.filter((other) => other !== kind)

  it.each(calls)('is refused by %s, which expects %s, with nothing changed', async (_, expected, call) => {
    for (const found of others(expected)) {
      const dir = folders[found]
      const before = contentOf(dir)
      const refused = await Promise.resolve()
        .then(() => call(dir))
        .then(
          () => 'opened',
          (error) => error,
        )
      expect(refused, found).toMatchObject({
        code: 'TIDEMARK_LOG_KIND',
        details: { dir, found, expected },
        message: expect.stringContaining(dir),
      })
      expect(contentOf(dir), found).toEqual(before)
    }
  })

  it.each(commands.map(([kind, args]) => [args('DIR').slice(0, 2).join(' '), kind, args] as const))(
    'is refused by tidemark %s, which expects %s, with nothing changed',
    { timeout: 60_000 },
    async (_, expected, args) => {
      await Promise.all(
        others(expected).map(async (found) => {
          const dir = folders[found]
          const before = contentOf(dir)
          const result = await tidemark(args(dir))
          expect(result, found).toMatchObject({ code: 3, stdout: '' })
          expect(result.stderr).toContain(dir)
          expect(contentOf(dir), found).toEqual(before)
        }),
      )
    },
  )

  it('is read by the tools that work for every kind', { timeout: 60_000 }, async () => {
    for (const kind of kinds) {
      const verified = JSON.parse((await tidemark(['log', 'verify', folders[kind], '--json'])).stdout)
      expect([kind, verified.verdict]).toEqual([kind, 'valid'])
    }
  })

  it('is refused where a log is handed over that is open', async () => {
    const log = await DurableLog.open({ dir: folders.venue, kind: 'venue' })
    try {
      const refused = expect.objectContaining({ code: 'TIDEMARK_LOG_KIND' })
      expect(log.kind).toBe('venue')
      expect(() => new FactorPersister(log)).toThrowError(refused)
      expect(() => FactorConsumer.attach(log)).toThrowError(refused)
    } finally {
      await log.close()
    }
  })

  it('is not made under a name that no header can hold', async () => {
    const dir = temporaryDirectory()
    for (const kind of ['', 'any', 'Pool', 'a b', 'seventeen-letters', 7, null]) {
      await expect(DurableLog.open({ dir, kind: kind as string }), String(kind)).rejects.toMatchObject({
        code: 'TIDEMARK_BAD_SETTING',
        details: { setting: 'kind' },
      })
    }
    expect(readdirSync(dir)).toEqual([])
  })
})
