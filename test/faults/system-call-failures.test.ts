import { mkdirSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/pool/index.js'
import { type Acknowledgement, checkAcknowledged } from '../support/acknowledged.js'
import {
  buildFailingCalls,
  type CallFault,
  type CallKind,
  type ChildRun,
  callKinds,
  type FailingCall,
  runWithFailingCall,
  whyCallsCannotFail,
} from '../support/failing-calls.js'
import { faultCases, faultCount, faultTier } from '../support/fault-tier.js'
import { root } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

/** A child takes a second or two; this much later, on a loaded machine too, it hangs. */
const hangMs = 60_000
const childrenAtOnce = 2
/** Of each kind the first calls are always among the short tier's; of the others as many as fit, evenly apart. */
const firstCalls = 1
const submissions = 16 * 6 * 3

interface Line {
  readonly life: 1 | 2
  readonly done?: string
  readonly failed?: string
  readonly error?: readonly string[]
  readonly message?: string
  readonly poisoned?: readonly string[]
  readonly acknowledged?: Acknowledgement
  readonly rotations?: number
  readonly end?: true
}

const missing = whyCallsCannotFail()

describe.skipIf(missing)(`a system call that fails once${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('loses no acknowledgement, leaves no call pending, and is reported with its cause', async () => {
    const folder = temporaryDirectory()
    const library = buildFailingCalls(folder)
    const wrong: Error[] = []
    const run = async (failing: FailingCall | undefined) => {
      const name = failing ? `${failing.kind}-${failing.number}-${failing.fault}` : 'none'
      const own = path.join(folder, name)
      mkdirSync(own)
      const environment = { DIR: path.join(own, 'log'), BACKUP: path.join(own, 'backup') }
      const script = `${root}/test/faults/failing-calls-child.mjs`
      const child = await runWithFailingCall({ library, script, folder: own, environment, failing, hangMs })
      await check(child, environment, failing, name).catch((error) => {
        wrong.push(error)
        // A run of hours reports at once.
        console.error(error.message)
      })
      rmSync(own, { recursive: true })
      return child
    }

    const whole = await run(undefined)
    for (const kind of callKinds) expect(whole.calls.counts[kind], kind).toBeGreaterThan(0)
    for (const { rotations } of whole.said as unknown as Line[])
      if (rotations !== undefined) expect(rotations).toBeGreaterThan(0)
    // The lock file is cut too: which of these calls cuts a segment is seen when it fails.
    const cut: string[] = []
    for (let number = 1; number <= whole.calls.counts.truncate; number++) {
      cut.push((await run({ kind: 'truncate', number, fault: 'EIO' })).calls.path)
    }
    expect(cut.filter((file) => file.endsWith('.wal'))).not.toEqual([])

    const cases = chosenCalls(whole.calls.counts)
    const numbers = faultCases(cases.length)
    // Threads share the calls out differently each time: a number may be too high for a run, and then nothing fails.
    let tried = 0
    let fired = 0
    const firstNotReached: CallKind[] = []
    const worker = async () => {
      for (const number of numbers) {
        tried++
        const failing = cases[number]!
        if ((await run(failing)).calls.fired) fired++
        else if (failing.number === 1) firstNotReached.push(failing.kind)
      }
    }
    await Promise.all(Array.from({ length: childrenAtOnce }, worker))
    expect(wrong.map(({ message }) => message)).toEqual([])
    // The first call of a kind is made in every run.
    expect(firstNotReached).toEqual([])
    expect(fired, `of ${tried} calls so many failed`).toBeGreaterThanOrEqual(tried / 2)
  }, 36_000_000)
})

/** Each call with each fault in the full tier; in the short one EIO alone, and of each kind as many calls as fit. */
function chosenCalls(counts: Readonly<Record<CallKind, number>>): FailingCall[] {
  const faults: CallFault[] = faultTier() === 'full' ? ['EIO', 'ENOSPC', 'EINTR', 'short'] : ['EIO']
  const all = faults.flatMap((fault) =>
    callKinds
      .filter((kind) => fault !== 'short' || kind === 'read' || kind === 'write')
      .flatMap((kind) =>
        Array.from({ length: Math.ceil(counts[kind] * 1.1) + 1 }, (_, i) => ({ kind, number: i + 1, fault })),
      ),
  )
  const count = Math.min(all.length, faultCount('calls', { short: 8, full: Number.MAX_SAFE_INTEGER }))
  if (count === all.length) return all
  const first = all.filter(({ number }) => number <= firstCalls)
  const others = all.filter(({ kind, number }) => number > firstCalls && number <= counts[kind])
  const more = Math.max(0, count - first.length)
  return [
    ...first,
    ...Array.from({ length: more }, (_, i) => others[Math.floor(((i + 0.5) * others.length) / more)]!),
  ]
}

async function check(
  child: ChildRun,
  folders: { DIR: string; BACKUP: string },
  failing: FailingCall | undefined,
  name: string,
): Promise<void> {
  const label = `${name} (${child.calls.fired ? path.basename(child.calls.path) : 'not reached'})`
  expect(child.hung, `${label} hangs`).toBe(false)
  expect({ code: child.code, signal: child.signal, stderr: child.stderr }, label).toEqual({
    code: 0,
    signal: null,
    stderr: '',
  })
  const lines = child.said as unknown as Line[]
  expect(lines.at(-1), label).toEqual({ end: true })

  const errors = lines.flatMap((line) => {
    const chain = line.error ?? line.poisoned
    return chain ? [{ life: line.life, chain }] : []
  })
  for (const { chain } of errors) expect(chain[0], label).toMatch(/^TIDEMARK_/)
  // The first error that is reported has the cause; a short read or write has no errno.
  const [first] = errors
  if (first && failing && failing.fault !== 'short') expect(first.chain, label).toContain(failing.fault)
  if (!child.calls.fired) expect(errors, label).toEqual([])
  for (const life of [1, 2] as const) checkLife(lines, life, child, failing, label)

  const acknowledged = lines.flatMap((line) => (line.acknowledged ? [line.acknowledged] : []))
  await checkAcknowledged(folders.DIR, acknowledged, label)
  // A backup that was reported opens, whatever failed on the way.
  const reported = lines.some((line) => line.done === 'backup')
  if (reported && child.calls.path.startsWith(folders.BACKUP))
    await (await EnginePool.open({ dir: folders.BACKUP })).close()
}

function checkLife(
  lines: readonly Line[],
  life: 1 | 2,
  child: ChildRun,
  failing: FailingCall | undefined,
  label: string,
): void {
  const own = lines.filter((line) => line.life === life)
  const poisonedAt = own.findIndex((line) => line.poisoned)
  const acknowledgements = own.filter((line) => line.acknowledged)
  if (poisonedAt >= 0) {
    const later = own.slice(poisonedAt).filter((line) => line.acknowledged)
    expect(later, `${label}: acknowledged after the pool was poisoned`).toEqual([])
  } else if (!own.some((line) => line.failed === 'open')) {
    // A pool that is not poisoned continues, whatever failed beside it.
    expect(acknowledgements, label).toHaveLength(submissions)
  }
  // A write or sync of a segment that failed is final, in the life in which it failed; libuv hides EINTR by trying again.
  const { fired, path: file, syncedLsn } = child.calls
  const writes = failing?.kind === 'write' || failing?.kind === 'fdatasync'
  if (!fired || !writes || failing.fault === 'EINTR' || !/\/log\/\d{20}\.wal$/.test(file)) return
  const reportedIn = lines.find((line) => line.poisoned || line.failed)?.life
  expect(reportedIn, `${label}: no error was reported`).toBeDefined()
  if (reportedIn !== life) return
  for (const { acknowledged } of acknowledgements)
    expect(acknowledged!.lsn, `${label}: acknowledged LSN above what was synced`).toBeLessThanOrEqual(
      syncedLsn,
    )
}
