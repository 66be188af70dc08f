import crc32 from 'crc-32'
import { crcOfBytes, crcOfWords } from './crc.js'

/**
 * The frame: one group of the log, or a piece of one. All words are little-endian; docs/wal-format.md has the table.
 *
 * ```
 *  byte  size  field
 *     0     4  length      header and payload in bytes, without the padding to a multiple of 8; 0 = not a frame
 *     4     4  crc         CRC-32 of the payload, then of this header with these four bytes zero, seeded by the epoch
 *     8     1  type        1..239 are the application's; 240..255 the log's own
 *     9     1  flags       bit 0: the group continues in the next frame; bits 4..7 are the application's
 *    10     2  producer    which producer wrote it (diagnostic only)
 *    12     4  unsynced    (LSN - synced LSN known when it was written) / 8; 0xffffffff = that or more
 *    16     8  lsn         where the frame begins
 *    24     8  timestamp   microseconds since 1970 (diagnostic only)
 *    32     n  payload
 * ```
 */
export const frameHeaderBytes = 32
const frameHeaderWords = frameHeaderBytes / 4

export const frameField = {
  length: 0,
  crc: 4,
  type: 8,
  flags: 9,
  producer: 10,
  unsynced: 12,
  lsn: 16,
  timestamp: 24,
} as const

export const frameFlag = { continues: 0x01, applicationMask: 0xf0 } as const

/** The largest `type` that an application may use. */
export const maxApplicationType = 239
/** A frame without payload that carries the synced LSN to disk when the log falls idle. */
export const syncMarkerType = 255

const unsyncedMax = 0xffffffff
const wordRange = 0x1_0000_0000

export function alignFrame(bytes: number): number {
  return (bytes + 7) & ~7
}

/** The unsigned distance that the `unsynced` field holds. */
function encodeUnsynced(lsn: number, synced: number): number {
  const distance = (lsn - synced) / 8
  return Math.min(distance, unsyncedMax)
}

/**
 * Writes a frame's header at a word offset. `kind` is the type with the flags in the second byte, `payloadCrc` the
 * CRC-32 of the payload under the epoch's seed.
 */
export function writeFrameHeader(
  words: Int32Array,
  at: number,
  length: number,
  kind: number,
  producer: number,
  lsn: number,
  synced: number,
  timestampUs: number,
  payloadCrc: number,
): void {
  words[at] = length
  words[at + 1] = 0
  words[at + 2] = kind | (producer << 16)
  words[at + 3] = encodeUnsynced(lsn, synced)
  words[at + 4] = lsn
  words[at + 5] = lsn / wordRange
  words[at + 6] = timestampUs
  words[at + 7] = timestampUs / wordRange
  words[at + 1] = crcOfWords(words, at, at + frameHeaderWords, payloadCrc)
}

/** The seed that an epoch gives to the CRC of each of its frames. */
export function crcSeedOf(epoch: bigint): number {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, epoch, true)
  return crc32.buf(bytes)
}

/** Gives a frame at a place in memory the CRC that another epoch's seed makes of it. */
export function resealFrame(bytes: Buffer, at: number, length: number, seed: number): void {
  bytes.writeInt32LE(0, at + frameField.crc)
  const ofPayload = crc32.buf(bytes.subarray(at + frameHeaderBytes, at + length), seed)
  const crc = crc32.buf(bytes.subarray(at, at + frameHeaderBytes), ofPayload)
  bytes.writeInt32LE(crc, at + frameField.crc)
}

/** What a frame in some buffer says; reused by the decoder, so copy what must last. */
export interface FrameView {
  length: number
  type: number
  flags: number
  producer: number
  lsn: number
  /** The synced LSN known when the frame was written. */
  synced: number
  timestampUs: number
}

export type FrameFault = 'none' | 'truncated' | 'bad-length' | 'bad-lsn' | 'bad-type' | 'bad-crc'

/**
 * Decodes and checks frames in a buffer. `view` holds the fields of the last frame that `decode` found valid.
 * Nothing is allocated for a frame that is read, and no length is believed before it is bounded.
 */
export class FrameDecoder {
  readonly view: FrameView = {
    length: 0,
    type: 0,
    flags: 0,
    producer: 0,
    lsn: 0,
    synced: 0,
    timestampUs: 0,
  }
  readonly #maxFrameBytes: number
  readonly #header = new Int32Array(frameHeaderWords)
  #words: Int32Array = new Int32Array(0)
  #bytes: Uint8Array = new Uint8Array(0)
  /** After `truncated`: how many bytes the frame has, as far as its header says it already. */
  bytesNeeded = frameHeaderBytes

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /**
   * Checks the frame at `offset` of `bytes`, of which `end` bytes are there, against the LSN that the place demands.
   * `truncated` means that the frame may be valid but does not end within the buffer. The place in memory must be a
   * multiple of four.
   */
  decode(bytes: Buffer, offset: number, end: number, lsn: number, seed: number): FrameFault {
    const fault = this.bound(bytes, offset, end, lsn)
    if (fault !== 'none') return fault
    const { length } = this.view
    const at = bytes.byteOffset + offset
    return this.#crc(at, length, seed) === this.#words[(at >> 2) + 1] ? 'none' : 'bad-crc'
  }

  /** Like `decode`, without the CRC: whether there is something at `offset` that is bounded like a frame of this LSN. */
  bound(bytes: Buffer, offset: number, end: number, lsn: number): FrameFault {
    this.bytesNeeded = frameHeaderBytes
    if (end - offset < frameHeaderBytes) return 'truncated'
    if (this.#words.buffer !== bytes.buffer) this.#look(bytes)
    const words = this.#words
    const from = (bytes.byteOffset + offset) >> 2
    const length = words[from]! >>> 0
    if (length < frameHeaderBytes || length > this.#maxFrameBytes) return 'bad-length'
    if ((words[from + 4]! >>> 0) + (words[from + 5]! >>> 0) * wordRange !== lsn) return 'bad-lsn'
    this.bytesNeeded = length
    if (offset + length > end) return 'truncated'
    if ((words[from + 2]! & 0xff) === 0) return 'bad-type'
    this.#read(words, from)
    return 'none'
  }

  /** Reads the fields of a frame that is already known to be valid. */
  read(bytes: Buffer, offset: number): void {
    if (this.#words.buffer !== bytes.buffer) this.#look(bytes)
    this.#read(this.#words, (bytes.byteOffset + offset) >> 2)
  }

  #read(words: Int32Array, from: number): void {
    const view = this.view
    const kind = words[from + 2]!
    view.length = words[from]!
    view.type = kind & 0xff
    view.flags = (kind >> 8) & 0xff
    view.producer = kind >>> 16
    view.lsn = (words[from + 4]! >>> 0) + (words[from + 5]! >>> 0) * wordRange
    view.synced = view.lsn - (words[from + 3]! >>> 0) * 8
    view.timestampUs = (words[from + 6]! >>> 0) + (words[from + 7]! >>> 0) * wordRange
  }

  #look(bytes: Buffer): void {
    this.#words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2)
    this.#bytes = new Uint8Array(bytes.buffer)
  }

  #crc(at: number, length: number, seed: number): number {
    const words = this.#words
    const header = this.#header
    const from = at >> 2
    for (let i = 0; i < frameHeaderWords; i++) header[i] = words[from + i]!
    header[frameField.crc >> 2] = 0
    const payload = crcOfBytes(this.#bytes, words, at + frameHeaderBytes, length - frameHeaderBytes, seed)
    return crcOfWords(header, 0, frameHeaderWords, payload)
  }
}
