import { EnginePool } from '#tidemark/pool/index.js'
import { acknowledgement, instruments, RandomFlow } from '../support/random-flow.mjs'
import { say } from '../support/say.mjs'

// Two lives of a small pool, one after the other, each with rotations and checkpoints, and a backup. Everything that resolves or
// rejects is said to the parent, and `end` last: an exit without it means that a promise was never settled.
const { DIR, BACKUP } = process.env
const callers = 16
const commandsEach = 6
const segmentBytes = 16_384
/** An opening writes a last segment with no more in it anew as a whole. */
const rewrittenBytesMax = segmentBytes / 4

function errorChain(error) {
  const chain = []
  for (let cause = error; cause; cause = cause.cause) {
    chain.push(String(cause.code ?? cause))
    if (cause.details?.errno) chain.push(cause.details.errno)
  }
  return chain
}

async function live(life) {
  const step = async (name, call) => {
    try {
      const result = await call()
      say({ life, done: name })
      return result
    } catch (error) {
      say({ life, failed: name, error: errorChain(error), message: error.message })
    }
  }
  const flow = new RandomFlow(life, life * 1_000_000)
  const caller = async (pool) => {
    for (let i = 0; i < commandsEach; i++) {
      const command = flow.next()
      const report = await pool.submit(command)
      say({ life, acknowledged: acknowledgement(command, report) })
    }
  }
  const submit = (pool) =>
    step('submit', async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: callers }, () => caller(pool)))
      const rejected = outcomes.find(({ status }) => status === 'rejected')
      if (rejected) throw rejected.reason
    })

  /**
   * Leaves so much in the last segment that the next opening begins another one after it, and cuts this one to its length.
   */
  const fillSegment = async (pool) => {
    const batch = () => pool.submitBatch(Array.from({ length: callers }, () => flow.next()))
    const { rotations } = pool.stats().log
    while (pool.stats().log.rotations === rotations) await batch()
    const fromLsn = pool.durableLsn
    while (pool.durableLsn - fromLsn <= rewrittenBytesMax) await batch()
  }

  const pool = await step('open', () =>
    EnginePool.open({
      dir: DIR,
      ringBytes: 65_536,
      segmentBytes,
      maxBatchBytes: 4096,
      keepSnapshots: 1,
      instruments,
    }),
  )
  if (pool === undefined) return
  pool.on('error', (error) => say({ life, poisoned: errorChain(error) }))
  await submit(pool)
  await step('checkpoint', () => pool.checkpoint())
  await submit(pool)
  if (life === 1) await step('backup', () => pool.backup(BACKUP))
  else await step('checkpoint', () => pool.checkpoint())
  await submit(pool)
  if (life === 1) await step('fill', () => fillSegment(pool))
  say({ life, rotations: pool.stats().log.rotations })
  await step('close', () => pool.close())
}

await live(1)
await live(2)
say({ end: true })
