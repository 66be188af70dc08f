import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  dumpLog,
  JobController,
  type JobError,
  readStoredJobs,
  type StoredJobs,
  validateLog,
} from '#tidemark/jobs/index.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { temporaryDirectory } from '../support/temporary.js'
import { smallLog } from '../unit/jobs/support/folders.js'
import { JobAudit } from './jobs-audit.js'

const kills = faultCount('jobs-kill', { short: 3, full: 200 })
const killsWithoutHistory = faultCount('jobs-kill-snapshots', { short: 2, full: 50 })
/** A loaded machine may kill every process before it gets to what a test wants to see: then it gets more rounds. */
const roundsMore = 60
const child = path.resolve('test/faults/jobs-kill-child.mjs')
const keepAll = { count: 1_000_000, ageMs: Number.POSITIVE_INFINITY }

/** What a killed process had been promised. */
interface Promised {
  readonly acknowledged: Set<string>
  readonly completed: Map<string, number>
  readonly dead: Set<string>
}

function nothingPromised(): Promised {
  return { acknowledged: new Set(), completed: new Map(), dead: new Set() }
}

/** Runs the child and kills it: some time after it is ready, or, now and then, at any time from its start. */
async function killOnce(dir: string, round: number, history: boolean, promised: Promised): Promise<void> {
  const args = [child, dir, String(round * 7919 + 1), String(round), history ? 'history' : 'short']
  const process = spawn(globalThis.process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(process, 'exit')
  let output = ''
  let ready = () => {}
  const isReady = new Promise<void>((resolve) => {
    ready = resolve
  })
  process.stdout.on('data', (text) => {
    output += text
    if (output.includes('ready\n')) ready()
  })
  if (round % 4 === 3) await delay(50 + Math.random() * 300)
  else await Promise.race([isReady, exited])
  await delay(Math.random() * 300)
  process.kill('SIGKILL')
  const [, signal] = await exited
  expect(signal, output.slice(-500)).toBe('SIGKILL')
  // A line that was cut off in the middle was never said.
  for (const line of output.split('\n').slice(0, -1)) {
    const [kind, id, attempt] = line.split(' ')
    if (kind === 'A') promised.acknowledged.add(id!)
    else if (kind === 'C') promised.completed.set(id!, Number(attempt))
    else if (kind === 'D') promised.dead.add(id!)
    else expect(line).toBe('ready')
  }
}

function checkPromises(promised: Promised, { table }: StoredJobs): void {
  for (const id of promised.acknowledged)
    if (!table.get(id)) throw new Error(`${id} was acknowledged and is lost`)
  for (const [id, attempts] of promised.completed) {
    expect(table.get(id), id).toMatchObject({ state: 'completed', attempts })
  }
  for (const id of promised.dead) expect(table.get(id), id).toMatchObject({ state: 'dead' })
  const { enqueued, completed, dead } = table.totals
  expect(table.live.size + completed + dead).toBe(enqueued)
  expect(table.finished.size).toBe(completed + dead)
}

async function read(dir: string): Promise<StoredJobs | undefined> {
  try {
    return await readStoredJobs(dir, keepAll)
  } catch (error) {
    if ((error as JobError).code === 'TIDEMARK_JOB_LOG_EMPTY') return undefined
    throw error
  }
}

async function finishAll(dir: string): Promise<void> {
  const queue = await JobController.open({ dir, keepFinished: keepAll, keepHistory: true, log: smallLog })
  queue.start(() => {})
  await queue.drained()
  const { totals, pending, inFlight } = await queue.status()
  expect(pending + inFlight).toBe(0)
  expect(totals.completed + totals.dead).toBe(totals.enqueued)
  await queue.close()
}

/** The rounds of this shard, from 1, and more of them as long as there is something that was not seen yet. */
function* rounds(count: number, seenAll: () => boolean): Generator<number> {
  for (const number of faultCases(count)) yield number + 1
  for (let more = 1; more <= roundsMore && !seenAll(); more++) yield count + more
}

describe('a queue whose process is killed under load', () => {
  it(`keeps every promise over ${kills} kills, event by event`, {
    timeout: 300_000 + kills * 5000,
  }, async () => {
    const dir = temporaryDirectory()
    const promised = nothingPromised()
    const audit = new JobAudit()
    let killed = 0
    const kinds = ['RETRY failed', 'RETRY restart', 'TIMEOUT', 'DEAD failed', 'ACK']
    const seenAll = () =>
      kinds.every((kind) => (audit.counts[kind] ?? 0) > 0) && promised.acknowledged.size > killed
    for (const round of rounds(kills, seenAll)) {
      killed++
      await killOnce(dir, round, true, promised)
      const stored = await read(dir)
      if (!stored) continue
      for (const event of dumpLog(dir, { fromSeq: audit.lastSeq + 1 })) audit.add(event)
      audit.compare(stored)
      checkPromises(promised, stored)
    }
    await finishAll(dir)
    // What was read after each kill is still there, word for word: reopening changed nothing of it.
    const whole = new JobAudit()
    for (const event of dumpLog(dir)) whole.add(event)
    whole.compare((await read(dir))!)
    const { valid, segments } = validateLog(dir)
    expect({ valid, acknowledged: promised.acknowledged.size > killed }).toEqual({
      valid: true,
      acknowledged: true,
    })
    expect(segments).toBeGreaterThan(1)
    for (const kind of kinds) expect(whole.counts[kind], kind).toBeGreaterThan(0)
  })

  it(`keeps every promise over ${killsWithoutHistory} kills when its log is removed up to its snapshots`, {
    timeout: 300_000 + killsWithoutHistory * 5000,
  }, async () => {
    const dir = temporaryDirectory()
    const promised = nothingPromised()
    let snapshotSeq = 0
    for (const round of rounds(killsWithoutHistory, () => snapshotSeq > 0)) {
      await killOnce(dir, round, false, promised)
      const stored = await read(dir)
      if (stored) checkPromises(promised, stored)
      snapshotSeq = stored?.snapshotSeq ?? 0
    }
    expect(snapshotSeq).toBeGreaterThan(0)
    await finishAll(dir)
    checkPromises(promised, (await read(dir))!)
  })
})
