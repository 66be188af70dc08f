import { FactorEngine } from '#tidemark/factors/engine/engine.js'
import { entryKind, factorRecordType, textWords, writeHead } from '#tidemark/factors/entries.js'
import { encodeBase, encodeEvent, type JobEventType, recordType } from '#tidemark/jobs/events/event.js'
import type { InspectedRecord } from '#tidemark/log/tools/inspection-report.js'
import { fixClock, fixEpochs, freeEntropy } from './fixed-entropy.js'
import { InlineLog } from './inline-log.js'
import { MemoryDisk } from './memory-disk.js'
import { bitcoin, ether, limit, openPool } from './pools.js'

type LoggedRecord = readonly [type: number, flags: number, payload: Uint8Array]

/** A log of three segments or more with these records: the same bytes for the same records. */
function logOf(kind: string, records: readonly LoggedRecord[]): MemoryDisk {
  const disk = new MemoryDisk()
  fixEpochs(7)
  fixClock(1_700_000_000_000)
  try {
    const log = new InlineLog(disk, { segmentBytes: 5 * 1024, kind })
    for (const [i, [type, flags, payload]] of records.entries()) {
      log.preallocator.preallocateOnce()
      log.producer.stage(type, flags, payload)
      // One record to a batch, then two, then three.
      if (i % 6 === 0 || i % 6 === 2 || i % 6 === 5) log.producer.publish()
      if (i % 3 === 0) log.flushAll()
    }
    log.producer.publish()
    log.flushAll()
    log.flusher.writeSyncMarker()
    log.flushAll()
    return disk
  } finally {
    freeEntropy()
  }
}

/** A log of a pool, of every kind of command. `inspect` gives the records of a folder. */
export async function poolReaderLog(
  dir: string,
  inspect: (dir: string, record: (record: InspectedRecord) => void) => void,
): Promise<MemoryDisk> {
  const pool = await openPool({ dir, instruments: [bitcoin, ether] })
  for (let i = 1; i <= 12; i++) {
    const side = i % 3 ? 'buy' : 'sell'
    await pool.submit({ ...limit(i, side, String(90 + (i % 7)), '2'), displayQuantity: '1' })
    const expiring = { timeInForce: 'GTD', expireTime: 1000 + i, requestId: i } as const
    await pool.submit({ ...limit(100 + i, 'buy', '80', '1'), ...expiring })
  }
  const replaced = { symbol: 'BTC-USD', orderId: 1, quantity: '1', account: 1, requestId: 50 }
  await pool.submit({ type: 'replace', ...replaced })
  await pool.submit({ type: 'reduce', symbol: 'BTC-USD', orderId: 2, quantity: '1' })
  await pool.submit({ type: 'expire', symbol: 'BTC-USD', time: 1010 })
  await pool.submit({ type: 'phase', symbol: 'ETH-USD', phase: 'halted' })
  await pool.submit({ type: 'cancel-all', account: 3 })
  await pool.close()
  const records: LoggedRecord[] = []
  inspect(dir, ({ type, flags, payload }) => records.push([type, flags & 0xf0, Uint8Array.from(payload)]))
  return logOf('pool', [...records, ...records, ...records])
}

/** A log of jobs: every type of event, and notes of the sequence number. */
export function jobsReaderLog(): MemoryDisk {
  const records: LoggedRecord[] = []
  let seq = 0
  const event = (type: JobEventType, jobId: string, detail: object) => {
    const { text } = encodeEvent(++seq, type, jobId, 1_700_000_000_000 + seq, JSON.stringify(detail))
    records.push([recordType.event, 0, Buffer.from(text)])
  }
  for (let job = 1; job <= 16; job++) {
    const id = `job-${job}`
    event('ENQUEUE', id, {
      payload: { job, text: 'é€𝄞' },
      timeoutMs: 1000,
      priority: job % 3,
      maxAttempts: 2,
    })
    const attempt = { attempt: 1, attemptId: seq + 1 }
    event('DISPATCH', id, attempt)
    if (job % 4 === 0) event('TIMEOUT', id, { ...attempt, delayMs: 5 })
    else if (job % 4 === 1) event('RETRY', id, { ...attempt, reason: 'failed', delayMs: 5 })
    else if (job % 4 === 2) event('DEAD', id, { ...attempt, reason: 'failed', error: 'x' })
    else event('ACK', id, attempt)
    if (job % 5 === 0) records.push([recordType.base, 0, encodeBase(seq)])
  }
  return logOf('jobs', records)
}

/** A log of factors: computed ticks, vectors, barriers, sessions and checkpoints. */
export function factorsReaderLog(): MemoryDisk {
  const engine = new FactorEngine()
  const definitions = { ma: 'mean(last, 5)', spread: 'ask - bid' }
  engine.registerAll('BTC', definitions)
  const records: LoggedRecord[] = []
  const words = new ArrayBuffer(4096)
  const int32 = new Int32Array(words)
  const float64 = new Float64Array(words)
  const bytes = Buffer.from(words)
  let at = 0
  const flush = () => {
    records.push([factorRecordType, 0, Uint8Array.from(bytes.subarray(0, at * 8))])
    at = 0
  }
  const text = (kind: number, series: number, value: object) => {
    const json = Buffer.from(JSON.stringify(value))
    writeHead(int32, float64, at, kind, 0, 0, series, json.byteLength)
    bytes.fill(0, (at + 2) * 8, (at + textWords(json.byteLength)) * 8)
    json.copy(bytes, (at + 2) * 8)
    at += textWords(json.byteLength)
  }
  const session = (first: boolean) => {
    writeHead(int32, float64, at, entryKind.session, 0, 0, 0, 0)
    at += 2
    const factors = Object.keys(definitions)
    text(entryKind.series, 0, {
      instrument: 'BTC',
      factors,
      definitions: first ? Object.entries(definitions) : [],
    })
    text(entryKind.series, 1, { instrument: 'ETH', factors: ['a', 'b', 'c'] })
    flush()
  }
  session(true)
  for (let i = 1; i <= 120; i++) {
    if (i === 60) session(false)
    const [bid, ask] = [100 + i, 101 + ((i * 7) % 5) + i]
    const { program } = engine.processTick({ instrument: 'BTC', timestamp: i, last: bid, bid, ask })
    const values = program.columns.map(({ cell }) => program.cells[cell]!)
    // Bits of last, bid and ask.
    writeHead(int32, float64, at, entryKind.tick, 0b111, values.length, 0, i)
    float64.set([bid, bid, ask, ...values], at + 2)
    at += 5 + values.length
    if (i % 3 === 0) {
      writeHead(int32, float64, at, entryKind.vector, 0, 3, 1, i)
      float64.set([i, Number.NaN, -i], at + 2)
      at += 5
    }
    if (i % 10 === 0) {
      writeHead(int32, float64, at, entryKind.barrier, 0, 0, 0, i)
      at += 2
      engine.barrier(i)
    }
    if (i % 40 === 0) text(entryKind.checkpoint, 0, { checkpointId: `checkpoint-${i}`, lsn: 8 * i })
    if (i % 4 === 0) flush()
  }
  flush()
  return logOf('factors', records)
}
