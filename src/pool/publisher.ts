import type { FrameChunk } from '../log/file-reader.js'
import { alignFrame, frameField, frameFlag, frameHeaderBytes } from '../log/frame.js'
import type { ShardHandle } from './shard-handle.js'
import { groupType, moreGroups } from './shard-thread.js'

const headerWords = frameHeaderBytes >> 2
const kindWord = frameField.type >> 2

/**
 * Walks the durable groups, below the mark by construction, and gives each to the shard's queue of waiters. This loop
 * sees every command of the pool, so it works on the words in place and allocates nothing.
 */
export class Publisher {
  readonly #shards: readonly ShardHandle[]
  #words: Int32Array = new Int32Array(0)
  /** Pieces of a group that did not fit one frame. */
  #pieces: Int32Array[] = []

  constructor(shards: readonly ShardHandle[]) {
    this.#shards = shards
  }

  /** Delivers the groups of a chunk; returns how many commands are settled with it. */
  publish(chunk: FrameChunk): number {
    const { buffer, byteOffset } = chunk.bytes
    if (this.#words.buffer !== buffer) this.#words = new Int32Array(buffer)
    const words = this.#words
    const base = byteOffset >> 2
    const end = base + ((chunk.endLsn - chunk.startLsn) >> 2)
    let settled = 0
    for (let at = base; at < end; ) {
      const length = words[at]!
      const kind = words[at + kindWord]!
      const next = at + (alignFrame(length) >> 2)
      if ((kind & 0xff) === groupType) {
        const flags = (kind >> 8) & 0xff
        const shard = this.#shards[(kind >>> 16) - 1]!
        const lsn = chunk.startLsn + (next - base) * 4
        if ((flags & frameFlag.continues) !== 0 || this.#pieces.length > 0) {
          if (this.#deliverPiece(shard, words.slice(at + headerWords, at + (length >> 2)), flags, lsn))
            settled++
        } else if (
          shard.deliver(words, at + headerWords, at + (length >> 2), lsn, (flags & moreGroups) !== 0)
        ) {
          settled++
        }
      }
      at = next
    }
    return settled
  }

  #deliverPiece(shard: ShardHandle, piece: Int32Array, flags: number, lsn: number): boolean {
    this.#pieces.push(piece)
    if ((flags & frameFlag.continues) !== 0) return false
    const group = new Int32Array(this.#pieces.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of this.#pieces.splice(0)) {
      group.set(part, at)
      at += part.length
    }
    return shard.deliver(group, 0, group.length, lsn, (flags & moreGroups) !== 0)
  }
}
