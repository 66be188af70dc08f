import {
  type CopyCounts,
  copyRecordWordsMax,
  MatchingEngine,
  type ShardCopy,
} from '#tidemark/matching/index.js'

export const pieceWords = copyRecordWordsMax

/** What a copy of a shard's books gave, in small pieces. */
export class CopiedPieces {
  readonly pieces: Int32Array[] = []
  #words = new Int32Array(pieceWords)

  get words(): number {
    return this.pieces.reduce((total, piece) => total + piece.length, 0)
  }

  swap(filled: number): Int32Array {
    this.finish(filled)
    this.#words = new Int32Array(pieceWords)
    return this.#words
  }

  finish(filled: number): void {
    if (filled > 0) this.pieces.push(this.#words.slice(0, filled))
  }

  /** Restores those books that `takes` says in another engine. */
  restore(
    counts: CopyCounts,
    takes: (instrumentId: number) => boolean = () => true,
    engine = new MatchingEngine(),
  ): MatchingEngine {
    const restore = engine.restore(counts, takes)
    for (const piece of this.pieces) restore.add(piece, piece.length)
    restore.finish()
    engine.verify()
    return engine
  }
}

/** A copy of all books, made at once. */
export function copyAtOnce(engine: MatchingEngine): { copied: CopiedPieces; copy: ShardCopy } {
  const copied = new CopiedPieces()
  const copy = engine.copy(copied)
  while (!copy.step());
  return { copied, copy }
}

export function restoredFrom(engine: MatchingEngine): MatchingEngine {
  const { copied, copy } = copyAtOnce(engine)
  return copied.restore(copy.counts)
}
