import { parentPort, workerData } from 'node:worker_threads'

const { memory, from, to } = workerData
const control = new Int32Array(memory)
parentPort.postMessage('ready')
for (let seen = 0; seen !== -1; ) {
  Atomics.wait(control, from, seen)
  seen = Atomics.load(control, from)
  Atomics.store(control, to, seen)
  Atomics.notify(control, to)
}
