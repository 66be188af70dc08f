import { EnginePool } from '#tidemark/pool/index.js'
import { etcd } from '#tidemark/replication/etcd/index.js'
import { acknowledgement, instruments, RandomFlow } from './random-flow.mjs'
import { say } from './say.mjs'

// The primary of a replicated pool: submits a random flow and says one line for each acknowledgement, until it is killed, closed by
// a line on its standard input, or fenced, which is its last line.
const { DIR, POOL, ENDPOINTS, SEED, IN_FLIGHT, FIRST_ORDER, ACK, LEASE_MS } = process.env
const flow = new RandomFlow(Number(SEED), Number(FIRST_ORDER))
let isOver = false
const pool = await EnginePool.open({
  dir: DIR,
  ringBytes: 64 * 1024,
  segmentBytes: 16 * 1024,
  checkpointBytes: 24 * 1024,
  instruments,
  replication: {
    log: etcd({ endpoints: ENDPOINTS, patienceMs: 500 }),
    pool: POOL,
    ack: ACK ?? 'replicated',
    leaseMs: Number(LEASE_MS ?? 2000),
  },
})
pool.on('replicationStalled', ({ error }) => say({ stalled: error.code, atMs: Date.now() }))
pool.on('replicationResumed', ({ stalledMs }) => say({ resumed: stalledMs, atMs: Date.now() }))
pool.on('error', ({ cause }) => {
  isOver = true
  say({ ended: cause.code })
  void pool.close()
})
process.stdin.once('data', async () => {
  isOver = true
  await pool.close()
  say({ closed: true })
  process.exit()
})
process.stdin.unref()

async function caller() {
  while (!isOver) {
    const command = flow.next()
    try {
      const report = await pool.submit(command)
      say(acknowledgement(command, report))
    } catch (error) {
      if (!isOver && error.code !== 'TIDEMARK_LOG_POISONED') throw error
    }
  }
}
say('ready')
await Promise.all(Array.from({ length: Number(IN_FLIGHT) }, caller))
