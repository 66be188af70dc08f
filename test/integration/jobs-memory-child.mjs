/** Lets jobs pass through a queue and prints, as JSON, what it holds on the way: <dir> <jobs> <bytes>.
 * The folder is given time to come below so many bytes. */
import * as fs from 'node:fs'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { JobController } from '#tidemark/jobs/index.js'

const [dir, jobsText, settledText] = process.argv.slice(2)
const settledBytes = Number(settledText)
const jobs = Number(jobsText)
const piece = 1000
const options = {
  dir,
  concurrency: 500,
  keepFinished: { count: 500 },
  snapshotEveryEvents: 5000,
  log: { segmentBytes: 1024 * 1024 },
}

function folderBytes() {
  return fs
    .readdirSync(dir)
    .reduce((sum, name) => sum + (fs.statSync(path.join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}

/** What the folder takes when the snapshot and the removal that may be under way are over: they run beside the jobs. */
async function settledFolderBytes() {
  let bytes = folderBytes()
  for (let tries = 0; tries < 100 && bytes > settledBytes; tries++) {
    await sleep(50)
    bytes = folderBytes()
  }
  return bytes
}

let queue = await JobController.open(options)
queue.start(async () => {})
const samples = []
for (let n = 0; n < jobs; n += piece) {
  await queue.enqueueMany(
    Array.from({ length: piece }, (_, i) => ({ id: `job-${n + i}`, payload: { text: 'x'.repeat(50) } })),
  )
  await queue.drained()
  if ((n + piece) % (jobs / 10) !== 0) continue
  // On a slow machine the snapshot that is due may still be under way.
  if (queue.metrics().eventsSinceSnapshot >= options.snapshotEveryEvents) await queue.checkpoint()
  const { finishedKept } = await queue.status()
  globalThis.gc()
  samples.push({
    jobs: n + piece,
    heapBytes: process.memoryUsage().heapUsed,
    folderBytes: await settledFolderBytes(),
    finishedKept,
  })
}
await queue.close()
queue = await JobController.open(options)
const { totals, finishedKept } = await queue.status()
const reopened = {
  completed: totals.completed,
  finishedKept,
  eventsReplayed: queue.metrics().eventsSinceSnapshot,
}
await queue.close()
process.stdout.write(JSON.stringify({ samples, reopened }))
