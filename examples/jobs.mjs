// A durable queue of jobs that fail now and then: node examples/jobs.mjs [folder]
// Press Ctrl-C in the middle, or kill the process, and start it again: what was enqueued is still there.
import { JobController } from 'tidemark/jobs'

const dir = process.argv[2] ?? './jobs'
const queue = await JobController.open({ dir, concurrency: 4, backoff: { baseMs: 200 }, keepHistory: true })

queue.on('completed', ({ id, attempt, result }) => console.log(`${id} sent on attempt ${attempt}: ${result}`))
queue.on('retried', ({ id, delayMs, reason }) =>
  console.log(`${id} comes again in ${delayMs} ms (${reason})`),
)
queue.on('dead', ({ id, reason }) => console.log(`${id} is dead (${reason})`))

process.once('SIGINT', () => queue.close({ graceMs: 1000 }).then(() => process.exit(130)))

queue.start(async ({ payload }, { signal }) => {
  await new Promise((resolve) => setTimeout(resolve, 200))
  signal.throwIfAborted()
  if (Math.random() < 0.3) throw new Error('the mail server is busy')
  return `mail to ${payload}`
})

const results = await queue.enqueueMany(
  Array.from({ length: 20 }, (_, n) => ({
    id: `mail-${n}`,
    payload: `user-${n}@example.org`,
    priority: n % 5 === 0 ? 1 : 0,
  })),
)
console.log(`${results.filter(({ added }) => added).length} jobs are on disk`)
await queue.drained()
console.log((await queue.status()).totals)
await queue.close()
