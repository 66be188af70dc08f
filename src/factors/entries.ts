import { FactorError } from './errors.js'

/**
 * What is in a log of factors. A record of type `factorRecordType` is a batch: entries one after the other, each a
 * whole number of 64-bit words, little-endian. A tick with all its values is one entry, and a record is in the log as
 * a whole or not at all, so no tick is ever there by half.
 *
 * ```
 *  byte  size  field
 *     0     1  kind
 *     1     1  fields     tick: which fields follow, a bit for each, `last` the lowest
 *     2     2  values     tick, vector: how many values follow
 *     4     4  series     which instrument and factors: the number that a series entry gave them
 *     8     8  timestamp  tick, vector, barrier: the source's (float64); texts: their length in bytes (float64)
 *    16     …  tick: fields, then values; vector: values (float64, NaN = not defined);
 *              texts: UTF-8, zeros up to a multiple of 8
 * ```
 *
 * - `session` begins the numbering of series anew: every opening writes one.
 * - `series` {instrument, factors, definitions?}: gives a number to an instrument and the names of its values; again
 *   with the same number when factors were added, `definitions` being the expressions that are new.
 * - `checkpoint` {checkpointId, lsn}: a snapshot was taken of everything before.
 */
export const factorRecordType = 16
/**
 * Version of the entries and of what the operators compute; the log's `contentVersion`. It grows whenever the same ticks would
 * give other values, and a log of another version is refused. 2: an operator of several series moves only with ticks that have
 * all of them.
 */
export const factorContentVersion = 2
/** The kind that the header of a factor log names. */
export const factorsLogKind = 'factors'

/** The kinds of entries of a factor log, as they stand in it. */
export const entryKind = {
  session: 1,
  series: 2,
  tick: 3,
  vector: 4,
  barrier: 5,
  checkpoint: 6,
} as const

export const entryHeadWords = 2
export const valuesMax = 0xffff

const bitsOf = new Uint8Array(256)
for (let i = 1; i < 256; i++) bitsOf[i] = bitsOf[i >> 1]! + (i & 1)

/** How many fields a mask names. */
export function fieldCount(mask: number): number {
  return bitsOf[mask & 0xff]!
}

/** Writes the first two words of an entry at 64-bit word `at`. */
export function writeHead(
  int32: Int32Array,
  float64: Float64Array,
  at: number,
  kind: number,
  fields: number,
  values: number,
  series: number,
  timestamp: number,
): void {
  int32[2 * at] = kind | (fields << 8) | (values << 16)
  int32[2 * at + 1] = series
  float64[at + 1] = timestamp
}

/** 64-bit words of a text entry, head included. */
export function textWords(bytes: number): number {
  return entryHeadWords + Math.ceil(bytes / 8)
}

/** The bytes of a session entry. */
export function sessionEntry(): Uint8Array {
  const words = new Float64Array(entryHeadWords)
  writeHead(new Int32Array(words.buffer), words, 0, entryKind.session, 0, 0, 0, 0)
  return new Uint8Array(words.buffer)
}

/** The bytes of a series or checkpoint entry. */
export function textEntry(kind: number, series: number, text: SeriesText | CheckpointText): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(text))
  const words = new Float64Array(textWords(bytes.byteLength))
  writeHead(new Int32Array(words.buffer), words, 0, kind, 0, 0, series, bytes.byteLength)
  const entry = new Uint8Array(words.buffer)
  entry.set(bytes, entryHeadWords * 8)
  return entry
}

/** A text of the log: what the entries `series` and `checkpoint` say. */
export interface SeriesText {
  /** The instrument's name. */
  readonly instrument: string
  /** The names of the values, in their order. */
  readonly factors: readonly string[]
  /** Names and expressions of the factors, where an engine computes them. */
  readonly definitions?: readonly (readonly [string, string])[]
}

export interface CheckpointText {
  readonly checkpointId: string
  readonly lsn: number
}

/**
 * Walks the entries of a batch; the fields of this object are those of the entry that `next` found, valid until the
 * next call. Nothing is allocated for ticks and vectors.
 */
export class EntryCursor {
  /** What the entry is: one of `entryKind`. */
  kind = 0
  /** How many fields of a tick it has. */
  fields = 0
  /** How many values it has. */
  values = 0
  /** The number of its series. */
  series = 0
  /** Its time, in the caller's unit. */
  timestamp = 0
  /** Word at which the entry's fields, or else its values or text, begin. */
  data = 0
  /** The record as 64-bit numbers: fields and values stand here. */
  float64: Float64Array = new Float64Array(0)
  #int32: Int32Array = new Int32Array(0)
  #at = 0
  #end = 0
  #lsn = 0

  /** Begins the batch that stands in `words` from `from` to `to`. `lsn` is only for errors. */
  reset(words: Int32Array, from: number, to: number, lsn: number): void {
    const firstByte = words.byteOffset + from * 4
    if ((to - from) % 2 !== 0) throw this.#corrupt(lsn, `${(to - from) * 4} bytes`)
    if (firstByte % 8 !== 0) {
      this.reset(words.slice(from, to), 0, to - from, lsn)
      return
    }
    const { buffer } = words
    // One batch after the other comes in the same memory: views of all of it are made once.
    if (this.float64.buffer !== buffer) {
      this.float64 = new Float64Array(buffer, 0, buffer.byteLength >> 3)
      this.#int32 = new Int32Array(buffer)
    }
    this.#at = firstByte >> 3
    this.#end = this.#at + ((to - from) >> 1)
    this.#lsn = lsn
  }

  /** Moves to the next entry; false at the end. @throws FactorError `TIDEMARK_FACTOR_LOG_CORRUPT`. */
  next(): boolean {
    const at = this.#at
    if (at >= this.#end) return false
    if (at + entryHeadWords > this.#end) throw this.#corrupt(this.#lsn, 'an entry is cut short')
    const head = this.#int32[2 * at]!
    this.kind = head & 0xff
    this.fields = (head >> 8) & 0xff
    this.values = head >>> 16
    this.series = this.#int32[2 * at + 1]!
    this.timestamp = this.float64[at + 1]!
    this.data = at + entryHeadWords
    this.#at = this.data + this.#dataWords()
    if (this.#at > this.#end) throw this.#corrupt(this.#lsn, 'an entry is cut short')
    return true
  }

  /** The text of a series or checkpoint entry. @throws FactorError `TIDEMARK_FACTOR_LOG_CORRUPT`. */
  text<T>(): T {
    const from = this.data * 8
    const text = Buffer.from(this.#int32.buffer, from, this.timestamp).toString('utf8')
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw this.#corrupt(this.#lsn, 'the text of an entry is not JSON', cause)
    }
    const isWhole = this.kind === entryKind.series ? isSeriesText(value) : isCheckpointText(value)
    if (!isWhole) throw this.#corrupt(this.#lsn, 'the text of an entry lacks a field')
    return value as T
  }

  /** Word of the first value of a tick. */
  get valuesAt(): number {
    return this.data + fieldCount(this.fields)
  }

  #dataWords(): number {
    switch (this.kind) {
      case entryKind.tick:
        return fieldCount(this.fields) + this.values
      case entryKind.vector:
        return this.values
      case entryKind.session:
      case entryKind.barrier:
        return 0
      case entryKind.series:
      case entryKind.checkpoint:
        if (!(this.timestamp >= 0 && this.timestamp <= 0x7fffffff)) {
          throw this.#corrupt(this.#lsn, `a text of ${this.timestamp} bytes`)
        }
        return Math.ceil(this.timestamp / 8)
      default:
        throw this.#corrupt(this.#lsn, `an entry of kind ${this.kind}`)
    }
  }

  #corrupt(lsn: number, what: string, cause?: unknown): FactorError {
    return new FactorError(
      'TIDEMARK_FACTOR_LOG_CORRUPT',
      `The record that ends at LSN ${lsn} is no batch of factors: ${what}.`,
      { lsn },
      { cause },
    )
  }
}

function isSeriesText(value: unknown): value is SeriesText {
  const {
    instrument,
    factors,
    definitions = [],
  } = (value ?? {}) as Partial<Record<keyof SeriesText, unknown>>
  const isText = (one: unknown) => typeof one === 'string'
  const isDefinition = (one: unknown) => Array.isArray(one) && one.length === 2 && one.every(isText)
  return (
    isText(instrument) &&
    Array.isArray(factors) &&
    factors.every(isText) &&
    Array.isArray(definitions) &&
    definitions.every(isDefinition)
  )
}

function isCheckpointText(value: unknown): value is CheckpointText {
  const { checkpointId, lsn } = (value ?? {}) as Partial<Record<keyof CheckpointText, unknown>>
  return typeof checkpointId === 'string' && Number.isSafeInteger(lsn)
}
