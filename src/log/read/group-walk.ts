import { alignFrame, frameField, frameFlag, frameHeaderBytes, maxApplicationType } from '../format/frame.js'
import type { FrameChunk } from './file-reader.js'

const headerWords = frameHeaderBytes >> 2
const kindWord = frameField.type >> 2

/** Takes groups where they stand: the payload is `words` from `from` to `to`, valid during the call. */
export interface GroupVisitor {
  visit(
    words: Int32Array,
    from: number,
    to: number,
    /** Where the group ends. */
    lsn: number,
    type: number,
    flags: number,
    producer: number,
  ): void
}

/**
 * Walks the application's groups of chunk after chunk without allocating: for records whose length is a multiple of
 * four bytes, and of which there are millions. A group in several frames is put together first.
 */
export class GroupWalk {
  readonly #visitor: GroupVisitor
  #words: Int32Array = new Int32Array(0)
  #pieces: Int32Array[] = []

  constructor(visitor: GroupVisitor) {
    this.#visitor = visitor
  }

  walk(chunk: FrameChunk): void {
    const { buffer, byteOffset } = chunk.bytes
    if (this.#words.buffer !== buffer) this.#words = new Int32Array(buffer)
    const words = this.#words
    const visitor = this.#visitor
    const base = byteOffset >> 2
    const end = base + ((chunk.endLsn - chunk.startLsn) >> 2)
    for (let at = base; at < end; ) {
      const length = words[at]!
      const kind = words[at + kindWord]!
      const type = kind & 0xff
      const flags = (kind >> 8) & 0xff
      const to = at + (length >> 2)
      const next = at + (alignFrame(length) >> 2)
      const lsn = chunk.startLsn + (next - base) * 4
      if (type <= maxApplicationType) {
        if ((flags & frameFlag.continues) !== 0 || this.#pieces.length > 0) {
          this.#piece(words.slice(at + headerWords, to), lsn, type, flags, kind >>> 16)
        } else {
          visitor.visit(words, at + headerWords, to, lsn, type, flags, kind >>> 16)
        }
      }
      at = next
    }
  }

  #piece(piece: Int32Array, lsn: number, type: number, flags: number, producer: number): void {
    this.#pieces.push(piece)
    if ((flags & frameFlag.continues) !== 0) return
    const group = new Int32Array(this.#pieces.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of this.#pieces.splice(0)) {
      group.set(part, at)
      at += part.length
    }
    this.#visitor.visit(group, 0, group.length, lsn, type, flags, producer)
  }
}
