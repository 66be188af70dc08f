import { EnginePool } from '#tidemark/pool/index.js'
import { acknowledgement, instruments, RandomFlow } from '../support/random-flow.mjs'
import { say } from '../support/say.mjs'

// Two lives of a small pool, one behind the other, each with rotations and checkpoints, and a backup. Everything that resolves or
// rejects is said to the parent, and `end` last: an exit without it means that a promise was never settled.
const { DIR, BACKUP } = process.env
const callers = 16
const commandsEach = 6

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

  const pool = await step('open', () =>
    EnginePool.open({
      dir: DIR,
      ringBytes: 65_536,
      segmentBytes: 16_384,
      maxFrameBytes: 4096,
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
  say({ life, rotations: pool.stats().log.rotations })
  await step('close', () => pool.close())
}

await live(1)
await live(2)
say({ end: true })
