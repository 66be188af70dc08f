import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import {
  type ErrorMessage,
  FileReader,
  LogProducer,
  type LogProducerHandle,
  NodeDisk,
  RecordAssembler,
  readRecordsSync,
  toErrorMessage,
} from '../../log/thread.js'
import { Channel } from '../durable/channel.js'
import { FactorReplay } from '../durable/replay.js'
import type { FactorSnapshot } from '../durable/snapshot-store.js'
import { encodeState } from '../durable/state-codec.js'
import type { FactorEngine } from '../engine/engine.js'
import type { FactorInstrument } from '../engine/instrument.js'
import { type Definitions, fieldsCell } from '../engine/program.js'
import {
  entryHeadWords,
  entryKind,
  factorRecordType,
  fieldCount,
  type SeriesText,
  textEntry,
  writeHead,
} from '../entries.js'
import { fields } from '../ticks.js'
import { type TickRingMemory, TickRingReader } from './tick-ring.js'

export interface FactorThreadData {
  readonly worker: number
  readonly workers: number
  readonly log: LogProducerHandle
  readonly ring: TickRingMemory
  readonly port: MessagePort
  readonly directory: string
  readonly firstLsn: number
  readonly endLsn: number
  readonly snapshot: FactorSnapshot | undefined
  readonly batchSize: number
}

export type FactorRequest =
  | {
      readonly kind: 'register'
      readonly number: number
      readonly instrument: string
      readonly definitions: Definitions
    }
  | { readonly kind: 'known'; readonly number: number; readonly instrument: string }
  | { readonly kind: 'sync' | 'snapshot' | 'values'; readonly id: number }
  | { readonly kind: 'stop' }

export interface InstrumentValues {
  readonly instrument: string
  readonly ticks: number
  readonly factors: readonly string[]
  readonly values: Float64Array
}

export type FactorReply =
  | {
      readonly kind: 'ready'
      readonly instruments: readonly { name: string; history: readonly Definitions[] }[]
      readonly lastTimestamp: number
    }
  | {
      readonly kind: 'done'
      readonly id: number
      readonly lsn: number
      readonly answer: Uint8Array | InstrumentValues[] | undefined
    }
  | { readonly kind: 'failed'; readonly error: ErrorMessage }
  | { readonly kind: 'stopped' }

/** Which worker has an instrument: the same for every opening with as many workers (FNV-1a of the name). */
export function workerOf(instrument: string, workers: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(instrument)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash % workers
}

/** Brings a worker's instruments up from the log, then computes ticks until it is stopped. Blocks its thread. */
export function runFactorThread(data: FactorThreadData): void {
  const post = (reply: FactorReply) => data.port.postMessage(reply)
  try {
    const replay = recover(data)
    const { instruments } = replay.engine
    post({
      kind: 'ready',
      instruments: instruments.map(({ name, program }) => ({ name, history: program.history })),
      lastTimestamp: replay.lastTimestamp,
    })
    new FactorLoop(replay.engine, data, post).run()
    post({ kind: 'stopped' })
  } catch (error) {
    post({ kind: 'failed', error: toErrorMessage(error) })
  } finally {
    data.port.close()
  }
}

function recover({ worker, workers, snapshot, firstLsn, endLsn, directory }: FactorThreadData): FactorReplay {
  const mine = (name: string) => workerOf(name, workers) === worker
  const replay = new FactorReplay(snapshot, firstLsn, { instruments: mine })
  const files = new FileReader(new NodeDisk(), directory, replay.lsn, { verify: false })
  readRecordsSync(files, endLsn, new RecordAssembler(replay))
  return replay
}

/** Takes ticks from the ring, computes them, and writes them into the log in batches. */
class FactorLoop {
  readonly #engine: FactorEngine
  readonly #data: FactorThreadData
  readonly #post: (reply: FactorReply) => void
  readonly #ring: TickRingReader
  readonly #producer: LogProducer
  readonly #channel = new Channel()
  /** Instruments by the number of their series. */
  readonly #instruments: FactorInstrument[] = []
  #stopped = false

  constructor(engine: FactorEngine, data: FactorThreadData, post: (reply: FactorReply) => void) {
    this.#engine = engine
    this.#data = data
    this.#post = post
    this.#ring = new TickRingReader(data.ring)
    this.#producer = new LogProducer(data.log.memory, data.log.producerId)
  }

  run(): void {
    const ring = this.#ring
    while (!this.#stopped) {
      if (!ring.next()) {
        this.#publish()
        ring.sleep()
        continue
      }
      if (ring.isMessage) this.#takeMessage()
      else this.#tick()
      if (this.#channel.length >= this.#data.batchSize) this.#publish()
    }
    this.#publish()
  }

  #tick(): void {
    const ring = this.#ring
    const { mask, timestamp } = ring
    const instrument = this.#instruments[ring.instrument]!
    const { program } = instrument
    const { cells, columns } = program
    const channel = this.#channel
    const words = entryHeadWords + fieldCount(mask) + columns.length
    const at = channel.reserve(words)
    const { float64 } = channel
    let word = at + entryHeadWords
    for (let field = 0; field < fields.length; field++) {
      if ((mask & (1 << field)) === 0) continue
      const value = ring.float64[ring.fieldsAt + field]!
      cells[fieldsCell + field] = value
      float64[word++] = value
    }
    this.#engine.advance(instrument, mask, timestamp)
    writeHead(channel.int32, float64, at, entryKind.tick, mask, columns.length, ring.instrument, timestamp)
    for (let i = 0; i < columns.length; i++) float64[word++] = cells[columns[i]!.cell]!
    channel.add(words)
  }

  /** Writes what waits; returns the LSN up to which everything of this worker is in the log. */
  #publish(): number {
    const channel = this.#channel
    if (channel.length > 0) {
      const { entries, bytes } = channel.peek(channel.length, Number.POSITIVE_INFINITY)
      this.#producer.append(factorRecordType, 0, bytes)
      channel.remove(entries, bytes.byteLength)
    }
    this.#ring.release()
    return this.#producer.publish()
  }

  #takeMessage(): void {
    const request = receiveMessageOnPort(this.#data.port)?.message as FactorRequest
    switch (request.kind) {
      case 'known':
        this.#instruments[request.number] = this.#engine.instrument(request.instrument)
        return
      case 'register':
        this.#register(request.number, request.instrument, request.definitions)
        return
      case 'stop':
        this.#stopped = true
        return
      default: {
        const lsn = this.#publish()
        this.#post({ kind: 'done', id: request.id, lsn, answer: this.#answer(request.kind, lsn) })
      }
    }
  }

  #register(number: number, name: string, definitions: Definitions): void {
    const instrument = this.#engine.addInstrument(name)
    instrument.program.register(definitions)
    this.#instruments[number] = instrument
    const text = { instrument: name, factors: instrument.factors, definitions } satisfies SeriesText
    const channel = this.#channel
    channel.add(channel.write(textEntry(entryKind.series, number, text)))
  }

  #answer(kind: 'sync' | 'snapshot' | 'values', lsn: number): Uint8Array | InstrumentValues[] | undefined {
    if (kind === 'sync') return undefined
    if (kind === 'snapshot') {
      const { instruments } = this.#engine.save()
      return encodeState({ instruments: instruments.map((state) => ({ ...state, lsn })) })
    }
    return this.#engine.instruments.map((instrument) => ({
      instrument: instrument.name,
      ticks: instrument.ticks,
      factors: instrument.factors,
      values: instrument.values(),
    }))
  }
}
