import { parentPort, workerData } from 'node:worker_threads'
import type { BeginReplication, ReplicatorThreadData } from '../src/log/replication/replicator-messages.js'
import { runReplicatorThread } from '../src/log/replication/replicator-thread.js'

const port = parentPort!
// What an engine waits for need not keep a thread alive, and this one has to wait for it.
const keepAlive = setInterval(() => {}, 0x7fffffff)

await runReplicatorThread(workerData as ReplicatorThreadData, {
  post: (message) => port.postMessage(message),
  begin: () =>
    new Promise((resolve) => port.once('message', (message: BeginReplication) => resolve(message))),
})
clearInterval(keepAlive)
// Connections that have no answer would keep it, too.
process.exit()
