/** Bytes that are read from the front: what `ByteSink` writes. */
export class ByteSource {
  #bytes: Uint8Array = new Uint8Array(0)
  at = 0

  reset(bytes: Uint8Array): void {
    this.#bytes = bytes
    this.at = 0
  }

  get left(): number {
    return this.#bytes.byteLength - this.at
  }

  byte(): number {
    if (this.at >= this.#bytes.byteLength) throw new RangeError('the bytes end too early')
    return this.#bytes[this.at++]!
  }

  take(bytes: number): Uint8Array {
    if (bytes < 0 || bytes > this.left) throw new RangeError('the bytes end too early')
    this.at += bytes
    return this.#bytes.subarray(this.at - bytes, this.at)
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  zigzag(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** Reads `count` numbers of `width` bits each, as `ByteSink.packed` writes them. */
  packed(into: { [index: number]: number }, from: number, count: number, width: number): void {
    const bytes = this.take(Math.ceil((count * width) / 8))
    for (let i = 0; i < count; i++) {
      let value = 0
      let scale = 1
      for (let bit = 0; bit < width; bit += pieceBits) {
        const wanted = Math.min(pieceBits, width - bit)
        value += get(bytes, i * width + bit, wanted) * scale
        scale *= pieceRange
      }
      into[from + i] = value
    }
  }
}

const pieceBits = 24
const pieceRange = 1 << pieceBits

function get(bytes: Uint8Array, bit: number, width: number): number {
  const at = bit >>> 3
  const word =
    bytes[at]! | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
  return (word >>> (bit & 7)) & ((1 << width) - 1)
}
