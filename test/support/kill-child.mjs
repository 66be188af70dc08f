import { EnginePool } from '#tidemark/pool/index.js'
import { acknowledgement, instruments, RandomFlow } from './random-flow.mjs'
import { say } from './say.mjs'

// Submits a random flow without end and says one line for each acknowledgement, until it is killed. Segments and checkpoints are
// small and many, so that kills hit them.
const { DIR, SEED, SHARDS, IN_FLIGHT, FIRST_ORDER, ARCHIVE } = process.env
const flow = new RandomFlow(Number(SEED), Number(FIRST_ORDER))
const pool = await EnginePool.open({
  dir: DIR,
  shards: Number(SHARDS),
  ringBytes: 64 * 1024,
  segmentBytes: 16 * 1024,
  checkpointBytes: 24 * 1024,
  instruments,
  // Then the log that is archived is deleted.
  ...(ARCHIVE && { archive: ARCHIVE, keepLogBytes: 0 }),
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
