import { once } from 'node:events'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { threadsOf } from '#tidemark/log/durable-log.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import { faultCases, faultCount } from '../support/fault-tier.js'
import { Random } from '../support/random.js'
import { acknowledgement, instruments, RandomFlow } from '../support/random-flow.mjs'
import { settledWithin } from '../support/settled.js'
import { type SmallDisk, smallImage, smallTmpfs, whyNoImage, whyNoTmpfs } from '../support/small-disk.js'

const count = faultCount('full-disk', { short: 1, full: 20 })
/** A pool that still takes commands after so many found a larger disk than it was given. */
const commandsMax = 200_000
const hangMs = 60_000
/** A full disk is reported before the reserve is used up: until then callers are not refused. */
const quietMs = 500
const kiB = 1024

const errnos = ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT']

interface Failure {
  readonly code?: string
  readonly message: string
  readonly cause?: unknown
  readonly details?: { readonly errno?: string }
}

/** What a failure and its causes say of the disk. */
function reasonsOf(failure: Failure): string[] {
  const reasons: string[] = []
  for (let at: Failure | undefined = failure; at; at = at.cause as Failure | undefined)
    reasons.push(...[at.code, at.details?.errno, at.message].filter((text) => text !== undefined))
  return reasons
}

function expectDiskFailure(failure: Failure, label: string): void {
  expect(failure.code, label).toMatch(/^TIDEMARK_/)
  const reasons = reasonsOf(failure)
  const named = reasons.some((text) => errnos.includes(text) || /disk (may be|is) full/.test(text))
  expect(named, `${label}: ${reasons.join('; ')}`).toBe(true)
}

/** Fills a disk with the log of a pool, makes room, and holds what is there against what was acknowledged. */
async function fillDisk(disk: SmallDisk, seed: number): Promise<'opening' | 'running'> {
  const random = new Random(seed)
  const label = `seed ${seed}`
  const dir = path.join(disk.folder, 'log')
  const options = {
    dir,
    shards: 1 + random.int(2),
    ringBytes: 128 * kiB,
    segmentBytes: (64 + random.int(512)) * kiB,
    checkpointBytes: random.int(2) === 0 ? 0 : 200 * kiB,
  }
  const acknowledged: Acknowledgement[] = []
  const opened = await EnginePool.open({ ...options, instruments }).catch((error: Failure) => error)
  const began = opened instanceof EnginePool
  // A segment that was zero-filled ahead has its room: without that, batches themselves meet the full disk.
  if (began && random.int(2) === 1) await opened[threadsOf][1]!.terminate()
  if (began) await fillPool(opened, seed, acknowledged, label)
  else expectDiskFailure(opened, label)
  disk.makeRoom()
  await checkAcknowledged(dir, acknowledged, label)
  const again = await EnginePool.open({ ...options, instruments })
  const { symbol } = new RandomFlow(seed, 9_000_000).next()
  const order = { type: 'cancel', symbol, orderId: 1 } as const
  expect((await again.submit(order)).lsn, label).toBeGreaterThan(0)
  await again.close()
  return began ? 'running' : 'opening'
}

async function fillPool(
  pool: EnginePool,
  seed: number,
  acknowledged: Acknowledgement[],
  label: string,
): Promise<void> {
  const errors: Failure[] = []
  pool.on('error', (error) => errors.push(error))
  const flow = new RandomFlow(seed, 1)
  let sent = 0
  let over = false
  const caller = async () => {
    while (!over && sent++ < commandsMax) {
      const command = flow.next()
      acknowledged.push(acknowledgement(command, await pool.submit(command)))
    }
    if (!over) throw new Error(`the disk took ${commandsMax} commands`)
  }
  const callers = Array.from({ length: 32 }, caller)
  // What is under way when the disk is full waits for room, or for the close.
  await settledWithin([Promise.race([Promise.allSettled(callers), once(pool, 'diskFull')])], hangMs)
  await settledWithin(callers.slice(0, 1), quietMs).catch(() => {})
  over = true
  const closing = pool.close()
  const outcomes = await settledWithin(callers, hangMs)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expectDiskFailure(outcome.reason, label)
  }
  await settledWithin([closing], hangMs)
  for (const error of errors) expectDiskFailure(error, label)
}

describe.each([
  ['that refuses the write', smallTmpfs, whyNoTmpfs()],
  ['that refuses the sync, long after the write', smallImage, whyNoImage()],
])('a full disk %s', (_, make, missing) => {
  it.skipIf(missing)(
    `loses nothing acknowledged, names the cause, and is used again after room is made (${missing ? `skipped: ${missing}` : `${count} sizes`})`,
    async () => {
      for (const number of faultCases(count)) {
        const seed = number + 1
        // In the first case a few segments fit; in others not even the first may.
        const bytes = (number === 0 ? 2048 : 64 + new Random(seed).int(4096)) * kiB
        const disk = make(bytes)
        const began = await fillDisk(disk, seed).finally(() => disk.release())
        if (number === 0) expect(began).toBe('running')
      }
    },
    3_600_000,
  )
})
