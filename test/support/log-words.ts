import { float64, int32, int64, type LogMemory } from '#tidemark/log/ring/memory.js'

type Words32 = keyof typeof int32
type Words64 = keyof typeof int64
type Counters = keyof typeof float64

/**
 * The words of a log's shared memory under their names, for tests that look at them, or set one to what another thread might
 * have left there. LSNs are numbers here.
 */
export type LogWords = { [Word in Words32 | Words64]: number } & { readonly [Word in Counters]: number }

export function logWords({ memory }: { readonly memory: LogMemory }): LogWords {
  const control32 = new Int32Array(memory.control)
  const control64 = new BigInt64Array(memory.control)
  const counters = new Float64Array(memory.control)
  const words = {}
  for (const [name, index] of Object.entries(int32)) {
    Object.defineProperty(words, name, {
      get: () => Atomics.load(control32, index),
      set: (value: number) => Atomics.store(control32, index, value),
    })
  }
  for (const [name, index] of Object.entries(int64)) {
    Object.defineProperty(words, name, {
      get: () => Number(Atomics.load(control64, index)),
      set: (value: number) => Atomics.store(control64, index, BigInt(value)),
    })
  }
  for (const [name, index] of Object.entries(float64)) {
    Object.defineProperty(words, name, { get: () => counters[index] })
  }
  return words as LogWords
}
