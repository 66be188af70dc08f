import { EnginePool } from '#tidemark/pool/index.js'
import { etcd } from '#tidemark/replication/etcd/index.js'
import { acknowledgement, instruments, RandomFlow } from './random-flow.mjs'
import { say } from './say.mjs'

// A primary whose log goes to etcd: submits a random flow without end, and says one line for each acknowledgement, until it is
// killed.
const { DIR, SEED, IN_FLIGHT, ENDPOINTS, POOL } = process.env
const flow = new RandomFlow(Number(SEED), 1)
const pool = await EnginePool.open({
  dir: DIR,
  ringBytes: 64 * 1024,
  maxBatchBytes: 16 * 1024,
  segmentBytes: 64 * 1024,
  instruments,
  replication: { log: etcd({ endpoints: ENDPOINTS }), pool: POOL },
})

async function caller() {
  for (;;) {
    const command = flow.next()
    const report = await pool.submit(command)
    say(acknowledgement(command, report))
  }
}
say('ready')
await Promise.all(Array.from({ length: Number(IN_FLIGHT) }, caller))
