import { readdirSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DurableFactorEngine, FactorConsumer, FactorPersister, FactorPool } from '#tidemark/factors/index.js'
import { BatchWriter, dumpLog, JobController, JobLog, replayLog } from '#tidemark/jobs/index.js'
import { DurableLog, SalvageReader } from '#tidemark/log/index.js'
import { backupFolder, EnginePool } from '#tidemark/pool/index.js'
import { openPool } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

type Call = (options: never) => unknown

/** Each call that opens a folder, with options that it takes but for their folder. */
const openings: Record<string, { open: Call; wrong: object; meant: string }> = {
  'EnginePool.open': {
    open: (options) => EnginePool.open(options),
    wrong: { maxInflight: 5 },
    meant: 'maxInFlight',
  },
  'DurableLog.open': {
    open: (options) => DurableLog.open(options),
    wrong: { batchsize: 5 },
    meant: 'batchSize',
  },
  'JobController.open': {
    open: (options) => JobController.open(options),
    wrong: { maxAttempt: 5 },
    meant: 'maxAttempts',
  },
  'FactorPool.open': { open: (options) => FactorPool.open(options), wrong: { worker: 5 }, meant: 'workers' },
  'DurableFactorEngine.open': {
    open: (options) => DurableFactorEngine.open(options),
    wrong: { snapshotEvery: 5 },
    meant: 'snapshotEveryTicks',
  },
  'FactorConsumer.open': {
    open: (options) => FactorConsumer.open(options),
    wrong: { logs: {} },
    meant: 'log',
  },
}

async function failure(call: () => unknown): Promise<{ code?: string; message: string }> {
  try {
    await call()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was taken')
}

describe('opening', () => {
  it.each(Object.entries(openings))(
    '%s refuses an option that it does not know, and makes no folder',
    async (name, call) => {
      const parent = temporaryDirectory()
      const options = { dir: `${parent}/log`, ...call.wrong }
      const error = await failure(() => call.open(options as never))
      expect(error).toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
      expect(error.message).toContain(`${name} has no option ${JSON.stringify(Object.keys(call.wrong)[0])}`)
      expect(error.message).toContain(`Did you mean ${call.meant}?`)
      expect(readdirSync(parent)).toEqual([])
    },
  )

  it.each(Object.entries(openings))(
    '%s without options, or with what are none, is a coded error',
    async (_, call) => {
      for (const options of [undefined, null, 5, 'folder', [], { dir: '' }, { dir: 7 }, {}]) {
        expect(await failure(() => call.open(options as never)), JSON.stringify(options)).toMatchObject({
          code: 'TIDEMARK_BAD_SETTING',
        })
      }
    },
  )

  it('looks into the settings of the log, of finished jobs and of the backoff too', async () => {
    const dir = temporaryDirectory()
    for (const call of [
      () => JobController.open({ dir, log: { ringbytes: 1 } as never }),
      () => JobController.open({ dir, log: 5 as never }),
      () => JobController.open({ dir, keepFinished: { age: 1 } as never }),
      () => JobController.open({ dir, backoff: { base: 1 } as never }),
      () => JobLog.open(dir, { preset: 'balanced', dirr: 1 } as never),
      () => FactorPool.open({ dir, log: { durabilty: 'group' } as never }),
      () => DurableFactorEngine.open({ dir, log: { durabilty: 'group' } as never }),
      () => EnginePool.open({ dir, instruments: {} as never }),
    ]) {
      expect(await failure(call), String(call)).toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    }
    expect(readdirSync(dir)).toEqual([])
  })
})

describe('a call with options', () => {
  it('of a pool or a log refuses one that it does not know', async () => {
    const pool = await openPool()
    const log = await DurableLog.open({ dir: temporaryDirectory() })
    onTestFinished(() => log.close())
    for (const call of [
      () => pool.subscribe({ fromLsn: 0 } as never),
      () => pool.subscribe(null as never),
      () => log.reader({ form: 0 } as never),
      () => backupFolder(pool.dir, temporaryDirectory(), { synced: 1 } as never),
      () => new FactorPersister(log, { maxDelay: 1 } as never),
      () => new SalvageReader(pool.dir, { disc: 1 } as never),
      () => new SalvageReader(undefined as never),
      () => log.reader({ signal: {} as never }),
      () => pool.subscribe({ signal: {} as never, cursor: 'c' }),
      () => EnginePool.open({ dir: temporaryDirectory(), clock: 1 as never }),
    ]) {
      expect(await failure(call), String(call)).toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    }
    expect(await failure(() => pool.backup(undefined as never))).toMatchObject({
      code: 'TIDEMARK_BAD_ARGUMENT',
    })
    const instruments = [7] as never
    expect(await failure(() => EnginePool.open({ dir: temporaryDirectory(), instruments }))).toMatchObject({
      code: 'TIDEMARK_BAD_ARGUMENT',
    })
  })

  it('of jobs or factors refuses one that it does not know', async () => {
    const queue = await JobController.open({ dir: temporaryDirectory() })
    onTestFinished(() => queue.close())
    const spec = { id: 'a', timeout: 5 } as never
    const error = await failure(() => queue.enqueue(spec))
    expect(error).toMatchObject({ code: 'TIDEMARK_JOB_BAD_SPEC', details: { field: 'timeout' } })
    expect(error.message).toContain('Did you mean timeoutMs?')
    const log = await JobLog.open(temporaryDirectory())
    onTestFinished(() => log.close())
    for (const call of [
      () => queue.close({ grace: 1 } as never),
      () => new BatchWriter(log, { interval: 1 } as never),
      () => log.replay(() => {}, { from: 1 } as never),
      () => replayLog(log.dir, () => {}, { from: 1 } as never),
      () => dumpLog(log.dir, { id: 'a' } as never).next(),
    ]) {
      expect(await failure(call), String(call)).toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    }
    const consumer = await FactorConsumer.open({ dir: temporaryDirectory() })
    onTestFinished(() => consumer.close())
    for (const call of [
      () => consumer.follow({ instrument: 'A' } as never).next(),
      () => consumer.history({ from: 0 } as never).next(),
    ]) {
      expect(await failure(call), String(call)).toMatchObject({ code: 'TIDEMARK_BAD_SETTING' })
    }
  })
})
