import { pathToFileURL } from 'node:url'
import { workerData } from 'node:worker_threads'

const { LogProducer } = await import(pathToFileURL(workerData.log).href)
const producer = new LogProducer(workerData.handle.memory, workerData.handle.producerId)
const stop = new Int32Array(workerData.stop)
const payload = Buffer.alloc(200)
for (let n = 1; Atomics.load(stop, 0) === 0; n++) {
  producer.stage(1, 0, payload)
  if (n % 64 === 0) producer.publish()
}
producer.publish()
