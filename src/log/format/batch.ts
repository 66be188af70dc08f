import crc32 from 'crc-32'
import { crcOfBytes, crcOfWords } from './crc.js'

/**
 * The batch: what is claimed, checked, written and torn as one. A header, and records back to back. All words are
 * little-endian; docs/wal-format.md has the tables.
 *
 * ```
 *  byte  size  field
 *     0     4  length      of the whole batch, a multiple of 8; 0 = not a batch
 *     4     4  crc         CRC-32 of the records, then of this header with these four bytes zero, seeded by the epoch
 *     8     2  records     how many record headers stand in it; 0 = a sync marker, which is a header alone
 *    10     2  producer    which producer wrote it
 *    12     4  unsynced    (LSN - synced LSN known when it was written) / 8; 0xffffffff = that or more
 *    16     8  lsn         where the batch begins
 *    24     8  timestamp   microseconds since 1970, of the publication
 *    32        records
 * ```
 *
 * A record begins at a multiple of 8. Its LSN is where it ends, its padding included.
 *
 * ```
 *  byte  size  field
 *     0     4  length      of header and payload in bytes, without the padding to a multiple of 8, which is zero
 *     4     1  type        1..239, the application's
 *     5     1  flags       bit 0: it continues in the next batch; bit 1: it began in the batch before;
 *                          bits 4..7 are the application's
 *     6     2  0
 *     8     n  payload
 * ```
 *
 * A record that is larger than the largest batch stands in several, in pieces. Each piece is the only record of its batch.
 */
export const batchHeaderBytes = 32
export const batchHeaderWords = batchHeaderBytes / 4
export const recordHeaderBytes = 8
export const recordHeaderWords = recordHeaderBytes / 4

export const batchField = {
  length: 0,
  crc: 4,
  records: 8,
  producer: 10,
  unsynced: 12,
  lsn: 16,
  timestamp: 24,
} as const

export const recordFlag = { continues: 0x01, beganBefore: 0x02, applicationMask: 0xf0 } as const

/** The flags of a piece, where they stand in the second word of a record's header. */
const pieceBits = (recordFlag.continues | recordFlag.beganBefore) << 8
export const continuesBit = recordFlag.continues << 8
export const beganBeforeBit = recordFlag.beganBefore << 8
/** Bits of that word that are zero in every record: the flags that no one has defined, and its upper half. */
const unusedBits = ~(0xff | (recordFlag.applicationMask << 8) | pieceBits)

/** The largest `type` that a record has. */
export const recordTypeMax = 239
/** The most records that a batch's header can count. */
export const batchRecordsMax = 0xffff

const unsyncedMax = 0xffffffff
const wordRange = 0x1_0000_0000

/** A length in bytes with its padding. */
function padded(bytes: number): number {
  return (bytes + 7) & ~7
}

/** Bytes of a batch that a record with a payload of so many bytes takes. */
export function recordBytes(payloadBytes: number): number {
  return (payloadBytes + recordHeaderBytes + 7) & ~7
}

/** The unsigned distance that the `unsynced` field holds. */
function encodeUnsynced(lsn: number, synced: number): number {
  const distance = (lsn - synced) / 8
  return Math.min(distance, unsyncedMax)
}

/** Writes a record's header at a word offset; `length` is that of header and payload in bytes. */
export function writeRecordHeader(
  words: Int32Array,
  at: number,
  length: number,
  type: number,
  flags: number,
): void {
  words[at] = length
  words[at + 1] = type | (flags << 8)
}

/** Writes a batch's header at a word offset. `recordsCrc` is the CRC-32 of its records under the epoch's seed. */
export function writeBatchHeader(
  words: Int32Array,
  at: number,
  length: number,
  records: number,
  producer: number,
  lsn: number,
  synced: number,
  timestampUs: number,
  recordsCrc: number,
): void {
  words[at] = length
  words[at + 1] = 0
  words[at + 2] = records | (producer << 16)
  words[at + 3] = encodeUnsynced(lsn, synced)
  words[at + 4] = lsn
  words[at + 5] = lsn / wordRange
  words[at + 6] = timestampUs
  words[at + 7] = timestampUs / wordRange
  words[at + 1] = crcOfWords(words, at, at + batchHeaderWords, recordsCrc)
}

/** The seed that an epoch gives to the CRC of each of its batches. */
export function crcSeedOf(epoch: bigint): number {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, epoch, true)
  return crc32.buf(bytes)
}

/** Gives a batch at a place in memory the CRC that another epoch's seed makes of it. */
export function resealBatch(bytes: Buffer, at: number, length: number, seed: number): void {
  bytes.writeInt32LE(0, at + batchField.crc)
  const ofRecords = crc32.buf(bytes.subarray(at + batchHeaderBytes, at + length), seed)
  const crc = crc32.buf(bytes.subarray(at, at + batchHeaderBytes), ofRecords)
  bytes.writeInt32LE(crc, at + batchField.crc)
}

/** What a batch in some buffer says; reused by the decoder, so copy what must last. */
export interface BatchView {
  length: number
  /** How many records stand in it; 0 for a sync marker. */
  records: number
  producer: number
  lsn: number
  /** The synced LSN known when the batch was written. */
  synced: number
  timestampUs: number
  /** Whether its only record is a piece that continues in the next batch, or that began in the one before. */
  continues: boolean
  beganBefore: boolean
}

export type BatchFinding = 'none' | 'truncated' | 'bad-length' | 'bad-lsn' | 'bad-records' | 'bad-crc'

/**
 * Decodes and checks batches in a buffer. `view` holds the fields of the last batch that `decode` found valid.
 * Nothing is allocated for a batch that is read, and no length is believed before it is bounded.
 */
export class BatchDecoder {
  readonly view: BatchView = {
    length: 0,
    records: 0,
    producer: 0,
    lsn: 0,
    synced: 0,
    timestampUs: 0,
    continues: false,
    beganBefore: false,
  }
  readonly #maxBatchBytes: number
  readonly #header = new Int32Array(batchHeaderWords)
  #words: Int32Array = new Int32Array(0)
  #bytes: Uint8Array = new Uint8Array(0)
  /** After `truncated`: how many bytes the batch has, as far as its header says it already. */
  bytesNeeded = batchHeaderBytes

  constructor(maxBatchBytes: number) {
    this.#maxBatchBytes = maxBatchBytes
  }

  /**
   * Checks the batch at `offset` of `bytes`, of which `end` bytes are there, against the LSN that the place demands.
   * `truncated` means that the batch may be valid but does not end within the buffer. The place in memory must be a
   * multiple of four.
   */
  decode(bytes: Buffer, offset: number, end: number, lsn: number, seed: number): BatchFinding {
    const found = this.bound(bytes, offset, end, lsn)
    if (found !== 'none') return found
    const { length } = this.view
    const at = bytes.byteOffset + offset
    if (this.#crc(at, length, seed) !== this.#words[(at >> 2) + 1]) return 'bad-crc'
    return this.#recordsFill(at >> 2, length) ? 'none' : 'bad-records'
  }

  /**
   * Like `decode`, without the CRC and the records: whether there is something at `offset` that is bounded like a batch of
   * this LSN.
   */
  bound(bytes: Buffer, offset: number, end: number, lsn: number): BatchFinding {
    this.bytesNeeded = batchHeaderBytes
    if (end - offset < batchHeaderBytes) return 'truncated'
    if (this.#words.buffer !== bytes.buffer) this.#look(bytes)
    const words = this.#words
    const from = (bytes.byteOffset + offset) >> 2
    const length = words[from]! >>> 0
    if (length < batchHeaderBytes || length > this.#maxBatchBytes || (length & 7) !== 0) return 'bad-length'
    if ((words[from + 4]! >>> 0) + (words[from + 5]! >>> 0) * wordRange !== lsn) return 'bad-lsn'
    this.bytesNeeded = length
    if (offset + length > end) return 'truncated'
    this.#read(words, from)
    return 'none'
  }

  #read(words: Int32Array, from: number): void {
    const view = this.view
    const length = words[from]!
    const counts = words[from + 2]!
    view.length = length
    view.records = counts & 0xffff
    view.producer = counts >>> 16
    view.lsn = (words[from + 4]! >>> 0) + (words[from + 5]! >>> 0) * wordRange
    view.synced = view.lsn - (words[from + 3]! >>> 0) * 8
    view.timestampUs = (words[from + 6]! >>> 0) + (words[from + 7]! >>> 0) * wordRange
    const first = length > batchHeaderBytes ? words[from + batchHeaderWords + 1]! : 0
    view.continues = (first & continuesBit) !== 0
    view.beganBefore = (first & beganBeforeBit) !== 0
  }

  /** Whether the records fill the batch: as many as its header counts, each within it, the last one to its end. */
  #recordsFill(from: number, length: number): boolean {
    const words = this.#words
    const { records } = this.view
    const end = from + (length >> 2)
    let at = from + batchHeaderWords
    for (let i = 0; i < records; i++) {
      if (at >= end) return false
      const recordLength = words[at]! >>> 0
      const kind = words[at + 1]!
      const type = kind & 0xff
      if (recordLength < recordHeaderBytes || recordLength > (end - at) * 4) return false
      if (type === 0 || type > recordTypeMax || (kind & unusedBits) !== 0) return false
      if ((kind & pieceBits) !== 0 && records !== 1) return false
      at += padded(recordLength) >> 2
    }
    return at === end
  }

  #look(bytes: Buffer): void {
    this.#words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2)
    this.#bytes = new Uint8Array(bytes.buffer)
  }

  #crc(at: number, length: number, seed: number): number {
    const words = this.#words
    const header = this.#header
    const from = at >> 2
    for (let i = 0; i < batchHeaderWords; i++) header[i] = words[from + i]!
    header[batchField.crc >> 2] = 0
    const ofRecords = crcOfBytes(this.#bytes, words, at + batchHeaderBytes, length - batchHeaderBytes, seed)
    return crcOfWords(header, 0, batchHeaderWords, ofRecords)
  }
}

/** Whether a record ends at `lsn` within a batch that is known to be valid and begins at `at` of `bytes`. */
export function recordEndsAt(bytes: Buffer, at: number, batchLsn: number, lsn: number): boolean {
  const { buffer, byteOffset } = bytes
  const words = new Int32Array(buffer, 0, buffer.byteLength >> 2)
  const from = (byteOffset + at) >> 2
  const end = from + (words[from]! >> 2)
  const target = from + (lsn - batchLsn) / 4
  let word = from + batchHeaderWords
  if (target <= word) return false
  while (word < end && word < target) word += padded(words[word]!) >> 2
  return word === target
}
