// Measures one pool on the processors that the process may use, with its caller in a thread of its own; prints one line of JSON.
//
//   taskset -c 0,1 node bench/lib/cores-child.mjs '{"dir":"/tmp","shards":1, ...}'
import { Worker } from 'node:worker_threads'

const worker = new Worker(new URL('./cores-caller-thread.mjs', import.meta.url), {
  workerData: JSON.parse(process.argv[2]),
})
const result = await new Promise((resolve, reject) => {
  worker.once('message', resolve)
  worker.once('error', reject)
})
process.stdout.write(`${JSON.stringify(result)}\n`)
