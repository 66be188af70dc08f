/**
 * A process that is killed: it enqueues and runs jobs as fast as they go, some of which fail, hang or come twice, and
 * says on stdout what it was promised, each line before anything else can happen.
 *
 *   A <id>            enqueue resolved
 *   C <id> <attempt>  completed was emitted
 *   D <id>            dead was emitted
 */
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { JobController } from '#tidemark/jobs/index.js'

const [dir, seedText, round, history] = process.argv.slice(2)
let state = Number(seedText) >>> 0

function random() {
  state = (state + 0x6d2b79f5) >>> 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

function say(line) {
  writeSync(1, `${line}\n`)
}

const queue = await JobController.open({
  dir,
  concurrency: 8,
  maxAttempts: 3,
  timeoutMs: 15,
  backoff: { baseMs: 1, maxMs: 6 },
  snapshotEveryEvents: 150,
  keepHistory: history === 'history',
  keepFinished: { count: 1_000_000 },
  interruptionsMax: 1_000_000,
  log: { ringBytes: 64 * 1024, maxBatchBytes: 16 * 1024, segmentBytes: 64 * 1024 },
})
queue.on('completed', ({ id, attempt }) => say(`C ${id} ${attempt}`))
queue.on('dead', ({ id }) => say(`D ${id}`))
queue.on('error', (error) => {
  say(`E ${error.message}`)
  process.exit(1)
})
queue.start(async () => {
  const chance = random()
  if (chance < 0.05) await delay(25)
  else if (chance < 0.5) await delay(random() * 2)
  if (chance > 0.8) throw new Error('chance')
})
say('ready')

for (let n = 0; ; n++) {
  const specs = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, i) => ({
    id: random() < 0.05 ? `r${Math.floor(random() * Number(round))}-0-0` : `r${round}-${n}-${i}`,
    payload: { n, pad: 'x'.repeat(Math.floor(random() * 200)) },
    priority: Math.floor(random() * 3),
  }))
  queue.enqueueMany(specs).then((results) => {
    for (const { id } of results) say(`A ${id}`)
  })
  if (random() < 0.02) queue.cancel(`r${round}-${Math.floor(random() * n)}-0`)
  await delay(0)
  while ((await queue.status()).pending > 60) await delay(1)
}
