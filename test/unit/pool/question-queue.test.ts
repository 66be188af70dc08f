import { describe, expect, it } from 'vitest'
import { answersMsMax, QuestionQueue } from '#tidemark/pool/shard/question-queue.js'
import { requestWords } from '#tidemark/pool/shard/requests.js'
import { Random } from '../../support/random.js'

describe('the questions that wait in a shard', () => {
  it('are answered in their order, however many there are', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed)
      const queue = new QuestionQueue()
      const words = new Int32Array(1000 * requestWords)
      const waiting: number[] = []
      let next = 0
      let answered = 0
      for (let step = 0; step < 300; step++) {
        for (let i = random.int(40); i > 0; i--) {
          const at = random.int(1000) * requestWords
          for (let word = 0; word < requestWords; word++) words[at + word] = next + word
          queue.add(words, at)
          waiting.push(next++)
        }
        expect(queue.isEmpty).toBe(waiting.length === 0)
        for (let calls = random.int(3); calls > 0 && !queue.isEmpty; calls--) {
          queue.answerSome((asked, at) => {
            const first = waiting.shift()!
            for (let word = 0; word < requestWords; word++) {
              if (asked[at + word] !== first + word)
                throw new Error(`seed ${seed}: question ${first} differs`)
            }
            answered++
            return true
          })
        }
      }
      while (!queue.isEmpty) queue.answerSome(() => answered++ >= 0)
      expect(answered, `seed ${seed}`).toBe(next)
      expect(next).toBeGreaterThan(1000)
    }
  })

  it('take as many steps as they need, one question after the other', () => {
    const queue = new QuestionQueue()
    const words = new Int32Array(requestWords)
    for (let question = 0; question < 70; question++) {
      words[0] = question
      queue.add(words, 0)
    }
    const steps: number[] = []
    while (!queue.isEmpty) {
      queue.answerSome((asked, at) => {
        steps.push(asked[at]!)
        if (steps.length === 5) for (let more = 70; more < 140; more++) queue.add(words.fill(more), 0)
        return steps.length % 3 === 0
      })
    }
    expect(steps).toEqual(Array.from({ length: 420 }, (_, i) => Math.floor(i / 3)))
  })

  it('leave room for commands: of those that take long, one is answered at a time', () => {
    const queue = new QuestionQueue()
    const words = new Int32Array(requestWords)
    for (let i = 0; i < 5; i++) queue.add(words, 0)
    for (let answered = 1; answered <= 5; answered++) {
      let calls = 0
      queue.answerSome(() => {
        calls++
        const untilMs = performance.now() + answersMsMax
        while (performance.now() <= untilMs);
        return true
      })
      expect(calls).toBe(1)
      expect(queue.isEmpty).toBe(answered === 5)
    }
  })
})
