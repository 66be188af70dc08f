import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dumpLog, salvageTo } from '#tidemark/cli/log/dump.js'
import { repairLog } from '#tidemark/cli/log/repair.js'
import { logFigures } from '#tidemark/cli/log/stats.js'
import { statsTable, verifyTable } from '#tidemark/cli/log/tables.js'
import { verificationJson, verifyLog } from '#tidemark/cli/log/verify.js'
import { FactorReplay, replayFiles } from '#tidemark/factors/durable/replay.js'
import * as jobs from '#tidemark/jobs/index.js'
import { readStoredJobs } from '#tidemark/jobs/state/job-store.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import type { DurableLog } from '#tidemark/log/index.js'
import { recoverLog } from '#tidemark/log/recover/recovery.js'
import { inspectLogNow } from '#tidemark/log/tools/inspection.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import type { MemoryDisk } from '../support/memory-disk.js'
import { mutate, mutateSealed, randomFiles } from '../support/mutate-log.js'
import { Random } from '../support/random.js'
import { factorsReaderLog, jobsReaderLog, poolReaderLog } from '../support/reader-logs.js'
import { temporaryDirectory } from '../support/temporary.js'

/** The disk in memory that a reader gets, while one is set, in place of the machine's. */
const shown: { disk: MemoryDisk | undefined } = { disk: undefined }

type Methods = Record<string, (...args: unknown[]) => unknown>
const methodsOf = (object: object): Methods => object as unknown as Methods

/** Hands each call of an object's methods on to the disk that is shown, while one is. */
function redirect(object: object, shownObject: (disk: MemoryDisk) => object): void {
  const methods = methodsOf(object)
  for (const name of Object.getOwnPropertyNames(object).filter((key) => key !== 'constructor')) {
    const original = methods[name]!
    restores.push(() => {
      methods[name] = original
    })
    methods[name] = function (this: object, ...args) {
      if (shown.disk === undefined) return original.apply(this, args)
      return methodsOf(shownObject(shown.disk))[name]!(...args)
    }
  }
}

beforeAll(() => {
  redirect(NodeDisk.prototype, (disk) => disk)
  redirect(new NodeDisk().async, (disk) => disk.async)
})

type Reader = readonly [name: string, read: (dir: string) => unknown]

const quiet = { progress: false }
const none = { from: undefined, to: undefined, types: undefined, symbols: undefined }
const keepAll = { count: 1_000_000, ageMs: Number.POSITIVE_INFINITY }

const poolReaders: readonly Reader[] = [
  ['log stats', async (dir) => statsTable(await logFigures(dir, false))],
  [
    'log verify',
    async (dir) => {
      const found = await verifyLog(dir, false)
      return [verificationJson(found), verifyTable(found.log, found.snapshots)]
    },
  ],
  ['log dump', (dir) => dumpLog(dir, none, { ...quiet, json: false })],
  ['log dump --json', (dir) => dumpLog(dir, none, { ...quiet, json: true })],
  [
    'log dump of some',
    (dir) =>
      dumpLog(
        dir,
        { ...none, from: { lsn: 1000 }, types: new Set(['trade', 'sync-marker']) },
        { ...quiet, json: true },
      ),
  ],
  ['log salvage', (dir) => salvageTo(dir, { ...quiet, json: false })],
  ['log repair', (dir) => repairLog(dir, { kind: 'pool', ...quiet })],
]

const jobsReaders: readonly Reader[] = [
  ['jobs validate', (dir) => jobs.validateLog(dir)],
  ['jobs stats', (dir) => jobs.logStats(dir)],
  ['jobs last', (dir) => jobs.lastEvent(dir)],
  ['jobs dump', (dir) => [...jobs.dumpLog(dir)]],
  ['jobs dump --tolerant', (dir) => [...jobs.dumpLog(dir, { onDamage: () => {} })]],
  ['jobs replay', (dir) => jobs.replayLog(dir, () => {}, { tolerant: true })],
  ['jobs status', (dir) => readStoredJobs(dir, keepAll)],
]

const factorsReaders: readonly Reader[] = [
  [
    'factors recover',
    async (dir) => {
      const disk = new NodeDisk()
      const settings = { kind: 'factors', contentVersion: 1, maxBatchBytes: 4096, initialSegmentBytes: 4096 }
      const { report } = recoverLog({ disk, directory: dir, ...settings })
      const replay = new FactorReplay(undefined, report.firstLsn)
      await replayFiles(replay, { dir } as DurableLog, report.endLsn)
    },
  ],
]

/** No reader takes more memory at once: a window of the log, or of a snapshot, with room to spare. */
const allocationBytesMax = 4 * 1024 * 1024
/** No reader reads the bytes of a log more often than this. */
const readsMax = 100

const guard = { allocated: 0, read: 0 }
const allocators = ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const
const restores: (() => void)[] = []
let dir = ''
let logs: { disk: MemoryDisk; readers: readonly Reader[] }[] = []

describe('a reader of a log', () => {
  const count = faultCount('reader-fuzz', { short: 100, full: 40_000 })

  it(`of random or changed bytes ends with an error that has a code, in bounded memory (${count} logs)`, async () => {
    dir = temporaryDirectory()
    const pool = await poolReaderLog(temporaryDirectory(), (folder, record) => {
      inspectLogNow(new NodeDisk(), folder, { record })
    })
    logs = [
      { disk: pool, readers: poolReaders },
      { disk: jobsReaderLog(), readers: jobsReaders },
      { disk: factorsReaderLog(), readers: factorsReaders },
    ]
    watch()
    for (const { disk, readers } of logs) {
      const codes = await readAll(relocated(disk), readers, 'the valid log')
      expect(codes).toEqual(readers.map(() => 'read'))
    }
    const tally = new Map<string, number>()
    let runs = 0
    for (const seed of faultCases(count)) {
      runs++
      const random = new Random(seed)
      const { disk, readers } = logs[seed % logs.length]!
      let broken = relocated(disk)
      const kind = random.int(10)
      if (kind === 0) broken = randomFiles(random, dir)
      if (kind > 0 && kind < 5) mutate(broken, random, dir)
      if (kind >= 4) mutateSealed(broken, random, dir)
      for (const code of await readAll(broken, readers, `seed ${seed}`))
        tally.set(code, (tally.get(code) ?? 0) + 1)
    }
    // What the log itself accepts came to those who read its records, and they noticed.
    const noticed = ['TIDEMARK_JOB_CHECKSUM', 'TIDEMARK_REPLAY_DIFFERS', 'TIDEMARK_FACTOR_LOG_CORRUPT']
    if (runs >= 300) expect([...tally.keys()]).toEqual(expect.arrayContaining(noticed))
  })
})

afterAll(() => {
  for (const restore of restores.splice(0)) restore()
})

/** The same files in the folder of this test, where calls of the file system find an empty one. */
function relocated(disk: MemoryDisk): MemoryDisk {
  const copy = disk.clone()
  for (const name of copy.list('/log')) copy.rename(`/log/${name}`, `${dir}/${name}`)
  return copy.clone()
}

/** Lets every reader read a disk; says of each how it ended. */
async function readAll(disk: MemoryDisk, readers: readonly Reader[], where: string): Promise<string[]> {
  const bytes = disk.list(dir).reduce((sum, name) => sum + disk.contentOf(`${dir}/${name}`)!.byteLength, 0)
  const outcomes: string[] = []
  for (const [name, read] of readers) {
    const copy = disk.clone()
    const { readSync } = copy
    guard.read = 0
    guard.allocated = 0
    copy.readSync = (file, buffer, position) => {
      const got = readSync.call(copy, file, buffer, position)
      guard.read += got
      return got
    }
    shown.disk = copy
    try {
      await read(dir)
      outcomes.push('read')
    } catch (error) {
      const { code } = error as { code?: string }
      if (!code?.startsWith('TIDEMARK_'))
        throw new Error(`${where}, ${name}: ${(error as Error).stack}`, { cause: error })
      outcomes.push(code)
    } finally {
      shown.disk = undefined
    }
    if (guard.allocated > allocationBytesMax)
      throw new Error(`${where}, ${name}: took ${guard.allocated} bytes at once`)
    if (guard.read > readsMax * bytes)
      throw new Error(`${where}, ${name}: read ${guard.read} of ${bytes} bytes`)
  }
  return outcomes
}

/** Swallows what is printed, passes over waits, and notes the largest buffer that is taken. */
function watch(): void {
  const { write } = process.stdout
  process.stdout.write = (() => true) as typeof write
  restores.push(() => {
    process.stdout.write = write
  })
  const { setTimeout } = timers
  timers.setTimeout = (async () => {}) as typeof setTimeout
  syncBuiltinESMExports()
  restores.push(() => {
    timers.setTimeout = setTimeout
    syncBuiltinESMExports()
  })
  for (const name of allocators) {
    const real = Buffer[name]
    Buffer[name] = ((bytes: number, ...rest: []) => {
      if (bytes > guard.allocated) guard.allocated = bytes
      return real.call(Buffer, bytes, ...rest)
    }) as typeof real
    restores.push(() => {
      Buffer[name] = real
    })
  }
}
