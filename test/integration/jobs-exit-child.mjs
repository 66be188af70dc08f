/** Leaves a queue with a job that waits for a minute and ends by itself, if nothing holds it: <dir> <close|fail>. */
import { JobController } from '#tidemark/jobs/index.js'

const [dir, end] = process.argv.slice(2)
const queue = await JobController.open({ dir, backoff: { baseMs: 60_000 } })
const retried = new Promise((resolve) => queue.once('retried', resolve))
queue.start(async ({ payload }, { signal }) => {
  if (payload === 'fails') throw new Error('later')
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
})
await queue.enqueueMany([{ payload: 'fails' }, { payload: 'hangs', timeoutMs: 60_000 }])
await retried
if (end === 'fail') queue.log.poison(new Error('EIO'))
else await queue.close({ graceMs: 0 })
process.stdout.write('done\n')
if (end === 'fail') await queue.close()
