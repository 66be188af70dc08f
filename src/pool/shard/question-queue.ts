import { requestWords } from './requests.js'

/**
 * The questions that a shard has taken from its ring and not answered yet, oldest first. Commands go first: however much
 * is asked, a shard answers for at most `answersMsMax` between two publications, and at least one question or one step of it.
 */
export class QuestionQueue {
  #words = new Int32Array(64 * requestWords)
  #head = 0
  #tail = 0

  get isEmpty(): boolean {
    return this.#head === this.#tail
  }

  /** Takes the question record at a word offset. */
  add(words: Int32Array, at: number): void {
    if (this.#tail === this.#words.length) this.#makeRoom()
    for (let i = 0; i < requestWords; i++) this.#words[this.#tail++] = words[at + i]!
  }

  /**
   * Gives the oldest questions to `answer` until `answersMsMax` are over. It returns whether the question is answered: one that is
   * not stays the oldest, and is given to it again.
   */
  answerSome(answer: (words: Int32Array, at: number) => boolean): void {
    const untilMs = performance.now() + answersMsMax
    do {
      if (answer(this.#words, this.#head)) this.#head += requestWords
    } while (!this.isEmpty && performance.now() < untilMs)
    if (this.isEmpty) this.#head = this.#tail = 0
  }

  #makeRoom(): void {
    const waiting = this.#words.subarray(this.#head, this.#tail)
    if (waiting.length * 2 > this.#words.length) {
      const larger = new Int32Array(this.#words.length * 2)
      larger.set(waiting)
      this.#words = larger
    } else {
      this.#words.copyWithin(0, this.#head, this.#tail)
    }
    this.#tail = waiting.length
    this.#head = 0
  }
}

/** A quarter of a millisecond is what 256 commands take at their slowest: beside a full ring, commands get half the time. */
export const answersMsMax = 0.25
