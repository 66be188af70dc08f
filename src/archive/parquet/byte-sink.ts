const initialBytes = 1 << 16

/** Bytes under construction, with the numbers of variable length that Parquet is made of. The memory is used again. */
export class ByteSink {
  #bytes = new Uint8Array(initialBytes)
  #view = new DataView(this.#bytes.buffer)
  at = 0

  /** What was written; valid until more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.at)
  }

  clear(): void {
    this.at = 0
  }

  /** Makes room for so many bytes after those written; what is in them is not known. */
  reserve(bytes: number): Uint8Array {
    if (this.at + bytes > this.#bytes.byteLength) {
      const before = this.#bytes
      this.#bytes = new Uint8Array(Math.max(2 * before.byteLength, this.at + bytes))
      this.#bytes.set(before.subarray(0, this.at))
      this.#view = new DataView(this.#bytes.buffer)
    }
    return this.#bytes
  }

  byte(value: number): void {
    this.reserve(1)[this.at++] = value
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.byteLength).set(bytes, this.at)
    this.at += bytes.byteLength
  }

  uint32(value: number): void {
    this.reserve(4)
    this.#view.setUint32(this.at, value, true)
    this.at += 4
  }

  float64(value: number): void {
    this.reserve(8)
    this.#view.setFloat64(this.at, value, true)
    this.at += 8
  }

  int64(value: bigint): void {
    this.reserve(8)
    this.#view.setBigInt64(this.at, value, true)
    this.at += 8
  }

  /** An unsigned number of variable length, up to 2^53. */
  varint(value: number): void {
    const bytes = this.reserve(8)
    let rest = value
    while (rest > 0x7fff_ffff) {
      bytes[this.at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    while (rest > 127) {
      bytes[this.at++] = (rest & 127) | 128
      rest >>>= 7
    }
    bytes[this.at++] = rest
  }

  /** A signed number of variable length, from -2^52 to 2^52. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** Appends `count` numbers of `width` bits each, the lowest first, up to a whole byte. Numbers have 53 bits at most. */
  packed(values: ArrayLike<number>, from: number, count: number, width: number): void {
    const length = Math.ceil((count * width) / 8)
    // One number is written as several bytes, of which the last may lie after the end.
    const bytes = this.reserve(length + 8)
    const start = this.at
    bytes.fill(0, start, start + length + 8)
    if (width <= pieceBits) {
      for (let i = 0; i < count; i++) put(bytes, start, i * width, values[from + i]!)
    } else {
      for (let i = 0; i < count; i++) {
        let rest = values[from + i]!
        for (let bit = i * width; rest > 0; bit += pieceBits) {
          const above = Math.floor(rest / pieceRange)
          put(bytes, start, bit, rest - above * pieceRange)
          rest = above
        }
      }
    }
    this.at += length
  }
}

/** So many bits, at any place in a byte, stand in 32. */
const pieceBits = 24
const pieceRange = 1 << pieceBits

function put(bytes: Uint8Array, start: number, bit: number, value: number): void {
  const at = start + (bit >>> 3)
  const shifted = value << (bit & 7)
  bytes[at]! |= shifted
  bytes[at + 1]! |= shifted >>> 8
  bytes[at + 2]! |= shifted >>> 16
  bytes[at + 3]! |= shifted >>> 24
}
