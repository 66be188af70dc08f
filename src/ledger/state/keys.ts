import { createHash } from 'node:crypto'
import { NumberIndex } from '../../matching/index.js'
import type { LedgerRecord } from '../records.js'
import { grownFloats, grownInts, lengthFor } from './grow.js'

const initialKeys = 256

/** The first 85 bits of a SHA-256. */
export interface Digest {
  readonly high: number
  readonly low: number
}

/** What a snapshot has of the keys; the first is key 1. */
export interface KeyArrays {
  readonly keyHigh: Int32Array
  readonly keyLow: Float64Array
  readonly keyLsn: Float64Array
  readonly keyRecordHigh: Int32Array
  readonly keyRecordLow: Float64Array
}

/**
 * The idempotency keys of all records, for ever: a repetition may come after any time. Kept are digests of the keys and of their
 * records: 32 bytes a key in arrays that double, and at most 64 in the index.
 */
export class Keys {
  readonly #index = new NumberIndex(0x6b65_7973)
  #high: Int32Array = new Int32Array(initialKeys)
  #low: Float64Array = new Float64Array(initialKeys)
  #lsn: Float64Array = new Float64Array(initialKeys)
  /** Of the record's fields, so that another body under the same key is noticed. */
  #recordHigh: Int32Array = new Int32Array(initialKeys)
  #recordLow: Float64Array = new Float64Array(initialKeys)
  #used = 1

  get size(): number {
    return this.#used - 1
  }

  /** The record whose key is in the log: where it ends, and its digest. */
  find(key: string): { readonly lsn: number; readonly digest: Digest } | undefined {
    const { high, low } = digestOfText(key)
    const at = this.#index.find(high, low)
    if (at === 0) return undefined
    return { lsn: this.#lsn[at]!, digest: { high: this.#recordHigh[at]!, low: this.#recordLow[at]! } }
  }

  add(key: string, lsn: number, record: Digest): void {
    const { high, low } = digestOfText(key)
    if (this.#used === this.#lsn.length) this.#grow(this.#used * 2)
    const at = this.#used++
    this.#high[at] = high
    this.#low[at] = low
    this.#lsn[at] = lsn
    this.#recordHigh[at] = record.high
    this.#recordLow[at] = record.low
    this.#index.insert(high, low, at)
  }

  image(): KeyArrays {
    const used = this.#used
    return {
      keyHigh: this.#high.slice(1, used),
      keyLow: this.#low.slice(1, used),
      keyLsn: this.#lsn.slice(1, used),
      keyRecordHigh: this.#recordHigh.slice(1, used),
      keyRecordLow: this.#recordLow.slice(1, used),
    }
  }

  /** Takes over the keys of an image, where there are none yet. */
  restore({ keyHigh, keyLow, keyLsn, keyRecordHigh, keyRecordLow }: KeyArrays): void {
    const used = keyLsn.length + 1
    this.#grow(lengthFor(used, this.#lsn.length))
    this.#high.set(keyHigh, 1)
    this.#low.set(keyLow, 1)
    this.#lsn.set(keyLsn, 1)
    this.#recordHigh.set(keyRecordHigh, 1)
    this.#recordLow.set(keyRecordLow, 1)
    this.#index.reserve(keyLsn.length)
    for (let i = 0; i < keyLsn.length; i++) this.#index.insert(keyHigh[i]!, keyLow[i]!, i + 1)
    this.#used = used
  }

  #grow(length: number): void {
    this.#high = grownInts(this.#high, length)
    this.#low = grownFloats(this.#low, length)
    this.#lsn = grownFloats(this.#lsn, length)
    this.#recordHigh = grownInts(this.#recordHigh, length)
    this.#recordLow = grownFloats(this.#recordLow, length)
  }
}

export function digestOf(record: LedgerRecord): Digest {
  return digestOfText(JSON.stringify(record))
}

export function isSameDigest(a: Digest, b: Digest): boolean {
  return a.high === b.high && a.low === b.low
}

/** A digest as snapshots before version 5 have it: the first 96 bits, in base64url. */
export function digestOfStored(text: string): Digest {
  return firstBits(Buffer.from(text, 'base64url'))
}

function digestOfText(text: string): Digest {
  return firstBits(createHash('sha256').update(text).digest())
}

function firstBits(bytes: Buffer): Digest {
  // 32 bits, and the 53 that a double has exactly.
  return { high: bytes.readInt32LE(0), low: bytes.readUIntLE(4, 6) + (bytes[10]! & 31) * 2 ** 48 }
}
