// A thread that writes records of one size as fast as it can: into a DurableLog, or into the bare ring.
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import crc32 from 'crc-32'
import { word } from './bare-memory.mjs'

const publishRecords = 256

parentPort.on('message', ({ records }) => {
  if (workerData.kind === 'log') parentPort.postMessage(writeLog(records))
  else writeBare(records)
  if (workerData.kind !== 'log') parentPort.postMessage(0)
})

const { kind, memory, payloadBytes, build = path.join(import.meta.dirname, '../..') } = workerData
const producer = kind === 'log' ? await openProducer() : undefined
const payload = new Uint8Array(payloadBytes)
const payloadWords = new Int32Array(payload.buffer)
let serial = 0
let tail = 0
parentPort.postMessage('ready')

/** A producer of the build that is measured, this one unless stated. */
async function openProducer() {
  const { LogProducer } = await import(pathToFileURL(path.join(build, 'dist/src/log/index.js')).href)
  return new LogProducer(memory, workerData.producerId)
}

/** Returns the LSN of the last record. */
function writeLog(records) {
  let lsn = 0
  for (let i = 0; i < records; i++) {
    payloadWords[0] = ++serial
    producer.stage(1, 0, payload)
    if ((i + 1) % publishRecords === 0) lsn = producer.publish()
  }
  return producer.publish() || lsn
}

/** Records of a CRC, a length and the payload, published in batches of the same size. */
function writeBare(records) {
  const control = new Int32Array(memory.control)
  const ring = new Int32Array(memory.ring)
  const mask = ring.length - 1
  const words = payloadBytes >> 2
  for (let i = 0; i < records; i++) {
    payloadWords[2] = ++serial
    payloadWords[1] = payloadBytes
    payloadWords[0] = 0
    payloadWords[0] = crc32.buf(payload)
    const at = (tail >>> 2) & mask
    for (let j = 0; j < words; j++) ring[(at + j) & mask] = payloadWords[j]
    tail = (tail + payloadBytes) | 0
    if ((i + 1) % publishRecords === 0 || i + 1 === records) publish(control, memory.ring.byteLength)
  }
}

function publish(control, ringBytes) {
  Atomics.store(control, word.tail, tail)
  Atomics.notify(control, word.tail)
  for (;;) {
    const durable = Atomics.load(control, word.durable)
    if ((tail - durable) >>> 0 <= ringBytes - publishRecords * payloadBytes) return
    Atomics.wait(control, word.durable, durable)
  }
}
