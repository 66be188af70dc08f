import { describe, expect, it } from 'vitest'
import { encodeEvent, type JobEventType, recordType } from '#tidemark/jobs/events/event.js'
import { MatchingEngine, RecordBuffer } from '#tidemark/matching/index.js'
import { commandRecordType } from '#tidemark/pool/index.js'
import { JobLogFold } from '#tidemark/store/fold/job-log-fold.js'
import type { LogFold } from '#tidemark/store/fold/log-fold.js'
import { PoolLogFold } from '#tidemark/store/fold/pool-log-fold.js'
import { prepareSchema } from '#tidemark/store/prepare-schema.js'
import { openTarget } from '#tidemark/store/targets/open-target.js'
import { storeTargets } from '../../support/store-targets.js'
import { temporaryDirectory } from '../../support/temporary.js'
import { encodeInstruments, encodeRandomCommand, Random } from '../matching/support/random-commands.js'

const targets = await storeTargets()

interface LogRecord {
  readonly words: Int32Array
  readonly type: number
  readonly payload: Uint8Array
}

/** What the engine makes of random commands of every kind. */
function poolRecords(commands: number): LogRecord[] {
  const engine = new MatchingEngine({ hashSeed: 1 })
  const record = new RecordBuffer()
  const records: LogRecord[] = []
  const words = new Int32Array(512)
  const apply = (at: number) => {
    record.reset()
    engine.apply(words, at, record)
    const made = record.i32.slice(0, record.byteLength / 4)
    records.push({ words: made, type: commandRecordType, payload: new Uint8Array(made.buffer) })
  }
  for (const at of encodeInstruments(words)) apply(at)
  const random = new Random(5)
  for (let i = 0; i < commands; i++) {
    encodeRandomCommand(words, random, i)
    apply(0)
  }
  return records
}

/** A few jobs that are tried, fail, wait, time out and are enqueued anew. */
function jobRecords(): LogRecord[] {
  const enqueue = { payload: 1, priority: 0, timeoutMs: 10, maxAttempts: 9 }
  const again = { attemptId: 1, delayMs: 500, reason: 'failed', error: 'no' }
  const events: readonly (readonly [JobEventType, string, object])[] = [
    ['ENQUEUE', 'a', enqueue],
    ['ENQUEUE', 'b', enqueue],
    ['DISPATCH', 'a', {}],
    ['RETRY', 'a', again],
    ['DISPATCH', 'a', {}],
    ['DISPATCH', 'b', {}],
    ['TIMEOUT', 'b', { attemptId: 1, delayMs: 0 }],
    ['DISPATCH', 'b', {}],
    ['RETRY', 'b', { ...again, reason: 'restart' }],
    ['DEAD', 'b', { reason: 'cancelled' }],
    ['ENQUEUE', 'b', enqueue],
    ['DISPATCH', 'b', {}],
    ['TIMEOUT', 'b', { attemptId: 1, delayMs: 700 }],
    ['ENQUEUE', 'c', enqueue],
    ['DISPATCH', 'c', {}],
    ['RETRY', 'c', again],
    ['DISPATCH', 'c', {}],
    ['ACK', 'c', {}],
  ]
  return events.map(([type, id, detail], i) => {
    const { text } = encodeEvent(i + 1, type, id, 1_000_000 + i, JSON.stringify(detail))
    return { words: new Int32Array(0), type: recordType.event, payload: Buffer.from(text) }
  })
}

const tables = {
  pool: ['open_order_rows', 'closed_order_rows', 'order_event_rows', 'trade_rows', 'instruments'],
  jobs: ['job_rows'],
} as const

describe.each(targets)('a store in $name', ({ driver, fresh }) => {
  /** Its tables after the records, with a transaction for each so many. */
  async function stored(fold: LogFold, records: readonly LogRecord[], each: number): Promise<unknown[][]> {
    const target = await openTarget(await fresh(temporaryDirectory()), { readOnly: false, driver })
    try {
      await prepareSchema(target)
      for (const [i, { words, type, payload }] of records.entries()) {
        fold.visit(words, 0, words.length, 8 * (i + 1), type, 1_000_000 * i, { payload })
        if ((i + 1) % each !== 0 && i + 1 < records.length) continue
        const transaction = fold.cut()
        await target.transaction(() => transaction.write(target))
      }
      const found: unknown[][] = []
      for (const table of tables[fold.kind as 'pool' | 'jobs']) {
        const { rows } = await target.query(`SELECT * FROM ${table}`)
        found.push(rows.map((row) => JSON.stringify(row)).sort())
      }
      return found
    } finally {
      await target.close()
    }
  }

  it('holds the same of a pool whatever was stored together', async () => {
    const records = poolRecords(1500)
    const whole = await stored(new PoolLogFold(), records, records.length)
    expect(whole.every((rows) => rows.length > 3)).toBe(true)
    expect(await stored(new PoolLogFold(), records, 40)).toEqual(whole)
  })

  it('holds the same of a queue of jobs whatever was stored together', async () => {
    const records = jobRecords()
    const whole = await stored(new JobLogFold(), records, records.length)
    for (const each of [1, 5]) expect(await stored(new JobLogFold(), records, each), `${each}`).toEqual(whole)
  })
})
