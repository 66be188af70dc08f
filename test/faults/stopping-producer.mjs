import { parentPort, workerData } from 'node:worker_threads'
import { int32, int64 } from '#tidemark/log/ring/memory.js'
import { LogProducer } from '#tidemark/log/ring/producer.js'
import { recordOf } from '../support/numbered-records.mjs'

// Writes records without end through the shipped producer. At a given point of a given publication the thread stands still for
// ever, or exits: the producer touches shared memory through Atomics alone there, so the points are set between those.
const { handle, seed, stop, stopped } = workerData
const word = new Int32Array(stopped)
const atomics = { ...Object.fromEntries(['add', 'store'].map((name) => [name, Atomics[name]])) }
let left = stop ? stop.after : Number.POSITIVE_INFINITY

function reached(point) {
  if (point !== stop?.point || left-- > 0) return
  atomics.store(word, 0, 1)
  Atomics.notify(word, 0)
  if (stop.exits) process.exit()
  Atomics.wait(word, 0, 1)
}

Atomics.add = (array, index, value) => {
  const result = atomics.add(array, index, value)
  if (array.buffer !== handle.memory.control) return result
  if (array instanceof BigInt64Array && index === int64.claimTail) reached('claimed')
  else if (array instanceof Int32Array && index === int32.published) reached('counted')
  return result
}
Atomics.store = (array, index, value) => {
  const publishes = array.buffer === handle.memory.ring
  if (publishes) reached('written')
  const result = atomics.store(array, index, value)
  if (publishes) reached('published')
  return result
}

const producer = new LogProducer(handle.memory, handle.producerId)
try {
  for (let i = 0; ; i++) {
    producer.stage(1, 0, recordOf(handle.producerId, i, seed))
    if ((i * seed) % 3 !== 0) producer.publish()
  }
} catch (error) {
  parentPort.postMessage(error.code)
}
