// Many jobs pass through one queue: memory must stay bounded, and reopening after the last snapshot be quick.
//
//   node --expose-gc bench/jobs-memory.mjs [--jobs 10000000] [--dir <folder>]
//
// Exit code 1 when the heap after collection grew by more than 64 MiB between a tenth of the way and the end, or when
// reopening took a second or more.
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { JobController } from '../dist/src/jobs/index.js'

const { values: flags } = parseArgs({
  options: {
    jobs: { type: 'string', default: '10000000' },
    dir: { type: 'string', default: os.tmpdir() },
  },
})
const JOBS = Number(flags.jobs)
const PIECE = Math.min(10_000, JOBS)
const GROWTH_MAX = 64 * 1024 * 1024
const REOPEN_MS_MAX = 1000

const dir = fs.mkdtempSync(path.join(flags.dir, 'tidemark-bench-jobs-memory-'))
const mib = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

function heapAfterCollection() {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

function folderBytes() {
  return fs.readdirSync(dir).reduce((sum, name) => sum + fs.statSync(path.join(dir, name)).size, 0)
}

let queue = await JobController.open({ dir, concurrency: 1000 })
queue.start(async () => {})
const startMs = performance.now()
let early = 0
let mostBytes = 0
for (let n = 0; n < JOBS; n += PIECE) {
  await queue.enqueueMany(
    Array.from({ length: Math.min(PIECE, JOBS - n) }, (_, i) => ({
      id: `job-${n + i}`,
      payload: { n: n + i },
    })),
  )
  await queue.drained()
  const done = n + PIECE
  if (done % Math.max(PIECE, JOBS / 10) !== 0) continue
  const heap = heapAfterCollection()
  early ||= heap
  mostBytes = Math.max(mostBytes, folderBytes())
  const { rss } = process.memoryUsage()
  const rate = Math.round((done / (performance.now() - startMs)) * 1000)
  console.log(
    `${done} jobs  heap ${mib(heap)}  rss ${mib(rss)}  folder ${mib(folderBytes())}  ${rate} jobs/s`,
  )
}
const growth = heapAfterCollection() - early
const { completed } = (await queue.status()).totals
await queue.close()
const reopenStartMs = performance.now()
queue = await JobController.open({ dir })
const reopenMs = performance.now() - reopenStartMs
const again = await queue.status()
await queue.close()
fs.rmSync(dir, { recursive: true, force: true })
console.log(
  `${completed} completed; heap grew by ${mib(growth)} from a tenth of the way on; folder at most ${mib(mostBytes)}`,
)
console.log(
  `reopened in ${reopenMs.toFixed(0)} ms: ${again.totals.completed} completed, ${again.finishedKept} ids kept`,
)
if (completed !== JOBS || again.totals.completed !== JOBS) throw new Error('jobs are missing')
if (growth > GROWTH_MAX || reopenMs >= REOPEN_MS_MAX) process.exitCode = 1
