import crc32 from 'crc-32'

/**
 * The frame: one group of the log, or a piece of one. All words are little-endian; docs/wal-format.md has the table.
 *
 * ```
 *  byte  size  field
 *     0     4  length      header and payload in bytes, without the padding to a multiple of 8; 0 = not a frame
 *     4     4  crc         CRC-32 of the payload, then of this header with these four bytes zero, seeded by the epoch
 *     8     1  type        1..239 are the application's; 240..255 the log's own
 *     9     1  flags       bit 0: the group goes on in the next frame; bits 4..7 are the application's
 *    10     2  producer    which producer wrote it (diagnostic only)
 *    12     4  unsynced    (LSN - synced LSN known when it was written) / 8; 0xffffffff = that or more
 *    16     8  lsn         where the frame begins
 *    24     8  timestamp   microseconds since 1970 (diagnostic only)
 *    32     n  payload
 * ```
 */
export const frameHeaderBytes = 32
export const frameAlignBytes = 8

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
export const markFrameType = 255

const unsyncedMax = 0xffffffff
const wordRange = 0x1_0000_0000

export function alignFrame(bytes: number): number {
  return (bytes + 7) & ~7
}

/** The unsigned distance that the `unsynced` field holds. */
export function encodeUnsynced(lsn: number, synced: number): number {
  const distance = (lsn - synced) / 8
  return Math.min(distance, unsyncedMax)
}

/**
 * Builds frame headers in one small buffer of its own, where the CRC needs no view but one, and copies them word by
 * word into place: a `subarray` for each frame would cost more than the CRC itself.
 */
export class FrameHeaderWriter {
  readonly #words = new Int32Array(frameHeaderBytes / 4)
  readonly #bytes = new Uint8Array(this.#words.buffer)
  readonly #bytes16 = new Uint16Array(this.#words.buffer)

  /** Composes the header and returns its words; they stay valid until the next call. */
  compose(
    length: number,
    type: number,
    flags: number,
    producer: number,
    lsn: number,
    synced: number,
    timestampUs: number,
    payloadCrc: number,
  ): Int32Array {
    const words = this.#words
    words[0] = length
    words[1] = 0
    this.#bytes[frameField.type] = type
    this.#bytes[frameField.flags] = flags
    this.#bytes16[frameField.producer >> 1] = producer
    words[3] = encodeUnsynced(lsn, synced)
    words[4] = lsn
    words[5] = lsn / wordRange
    words[6] = timestampUs
    words[7] = timestampUs / wordRange
    words[1] = crc32.buf(this.#bytes, payloadCrc)
    return words
  }
}

/** CRC-32 of a payload, seeded by the epoch; signed, as the header writer and the decoder take it. */
export function payloadCrc(payload: Uint8Array, seed: number): number {
  return crc32.buf(payload, seed)
}

/** The seed that an epoch gives to the CRC of each of its frames. */
export function crcSeedOf(epoch: bigint): number {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, epoch, true)
  return crc32.buf(bytes)
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
 * Decodes and checks frames in a buffer. `view` holds the fields of the last frame that `decode` found sound.
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
  readonly #header = new Uint8Array(frameHeaderBytes)
  readonly #maxFrameBytes: number

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /**
   * Checks the frame at `offset` of `bytes`, of which `end` bytes are there, against the LSN that the place demands.
   * `truncated` means that the frame may be sound but does not end within the buffer.
   */
  decode(bytes: Buffer, offset: number, end: number, lsn: number, seed: number): FrameFault {
    if (end - offset < frameHeaderBytes) return 'truncated'
    const length = bytes.readUInt32LE(offset)
    if (length < frameHeaderBytes || length > this.#maxFrameBytes) return 'bad-length'
    if (readFrameLsn(bytes, offset) !== lsn) return 'bad-lsn'
    if (offset + length > end) return 'truncated'
    const type = bytes[offset + frameField.type]!
    if (type === 0) return 'bad-type'
    const header = this.#header
    for (let i = 0; i < frameHeaderBytes; i++) header[i] = bytes[offset + i]!
    header[4] = header[5] = header[6] = header[7] = 0
    const payload = bytes.subarray(offset + frameHeaderBytes, offset + length)
    const crc = crc32.buf(header, crc32.buf(payload, seed))
    if (crc !== bytes.readInt32LE(offset + frameField.crc)) return 'bad-crc'
    this.read(bytes, offset)
    return 'none'
  }

  /** Reads the fields of a frame that is already known to be sound. */
  read(bytes: Buffer, offset: number): void {
    const view = this.view
    view.length = bytes.readUInt32LE(offset)
    view.type = bytes[offset + frameField.type]!
    view.flags = bytes[offset + frameField.flags]!
    view.producer = bytes.readUInt16LE(offset + frameField.producer)
    view.lsn = readFrameLsn(bytes, offset)
    view.synced = view.lsn - bytes.readUInt32LE(offset + frameField.unsynced) * 8
    view.timestampUs =
      bytes.readUInt32LE(offset + frameField.timestamp) +
      bytes.readUInt32LE(offset + frameField.timestamp + 4) * wordRange
  }
}

export function readFrameLsn(bytes: Buffer, offset: number): number {
  return (
    bytes.readUInt32LE(offset + frameField.lsn) + bytes.readUInt32LE(offset + frameField.lsn + 4) * wordRange
  )
}
