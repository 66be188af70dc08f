import { parentPort, workerData } from 'node:worker_threads'
import { LogProducer } from '#tidemark/log/index.js'

// Writes records into a log from a thread of its own: its number, and the record's.
const { handle, records, bytes } = workerData
const producer = new LogProducer(handle.memory, handle.producerId)
const payload = Buffer.alloc(bytes)
let last = 0
for (let i = 0; i < records; i++) {
  payload.writeUInt32LE(handle.producerId, 0)
  payload.writeUInt32LE(i, 4)
  producer.stage(1, 0, payload)
  if (i % 7 === 0) last = producer.publish()
}
last = producer.publish()
parentPort.postMessage(last)
