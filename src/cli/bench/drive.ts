import type { Command, EnginePool } from '../../pool/index.js'
import { LatencyRecorder, type LatencySummary } from '../latency.js'
import type { CommandTape } from './tape.js'

/** How commands are handed over: a promise each, a reused `CommandBatch`, or an array of plain objects. */
export type Handover = 'submit' | 'batch' | 'objects'

/** Part of a tape, and how it is played. */
export interface DriveSettings {
  readonly handover: Handover
  /** Commands handed over at once; 1 for `submit`. */
  readonly perBatch: number
  /** Commands handed over and not yet acknowledged, at most. */
  readonly window: number
  readonly from: number
  readonly to: number
  /** Nothing more is handed over when so many milliseconds have gone. */
  readonly timeMs: number
  /** The commands of the tape from 0 on as objects, for `submit` and `objects`. */
  readonly objects?: readonly Command[]
}

export interface DriveResult {
  readonly commands: number
  /** From the first hand-over to the last acknowledgement. */
  readonly elapsedMs: number
  readonly trades: number
  readonly logBytes: number
  readonly flushes: number
  /** How long hand-overs took to be acknowledged. Not kept for `submit`. */
  readonly latency: LatencySummary
}

/** Single commands are handed over by so many, less one, between two looks at the clock. */
const clockMask = 63

const noWake = (): void => {}

/** Counts what is under way and lets one caller wait until there is room again. */
class Window {
  inFlight = 0
  readonly #room: number
  #wake = noWake
  #failure: unknown
  #reject: (error: unknown) => void = () => {}

  /** `step`: how much room is waited for, so that a caller is not woken for each single acknowledgement. */
  constructor(limit: number, step: number) {
    this.#room = Math.max(0, limit - step)
  }

  settle(commands: number): void {
    this.inFlight -= commands
    if (this.inFlight > this.#room) return
    // Once only: resolving a promise again takes a way through the runtime that costs more than a command.
    const wake = this.#wake
    this.#wake = noWake
    wake()
  }

  readonly fail = (error: unknown): void => {
    this.#failure ??= error
    this.#reject(error)
  }

  async roomier(): Promise<void> {
    if (this.#failure) throw this.#failure
    if (this.inFlight <= this.#room) return
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve
      this.#reject = reject
    })
  }
}

/** Plays a part of a tape into a pool as fast as it is acknowledged, and returns when all of it is durable. */
export async function drive(
  pool: EnginePool,
  tape: CommandTape,
  settings: DriveSettings,
): Promise<DriveResult> {
  const { handover, window: limit, from, timeMs, objects = [] } = settings
  const perBatch = handover === 'submit' ? 1 : settings.perBatch
  const to = Math.min(settings.to, tape.length)
  const window = new Window(limit, Math.max(perBatch, limit >> 3))
  const drained = new Window(0, 0)
  const latency = new LatencyRecorder()
  const batch = pool.batch()
  const before = pool.stats()
  const settleOne = () => {
    window.settle(1)
    drained.settle(1)
  }
  const fail = (error: unknown) => {
    window.fail(error)
    drained.fail(error)
  }
  const startMs = performance.now()
  let handedMs = startMs
  let at = from
  while (at < to) {
    // Looking at the clock costs as much as a tenth of a submit.
    if (perBatch > 1 || (at & clockMask) === 0) handedMs = performance.now()
    if (handedMs - startMs >= timeMs) break
    const end = Math.min(to, at + perBatch)
    if (window.inFlight > 0 && window.inFlight + end - at > limit) {
      await window.roomier()
      continue
    }
    window.inFlight += end - at
    drained.inFlight += end - at
    if (handover === 'submit') pool.submit(objects[at]!).then(settleOne, fail)
    else {
      const batchMs = handedMs
      let acknowledged: Promise<{ commands: number }>
      if (handover === 'objects') acknowledged = pool.submitBatch(objects.slice(at, end))
      else {
        tape.play(batch, at, end)
        acknowledged = pool.submitBatch(batch)
        batch.clear()
      }
      acknowledged.then(({ commands }) => {
        latency.record(performance.now() - batchMs)
        window.settle(commands)
        drained.settle(commands)
      }, fail)
    }
    at = end
  }
  await drained.roomier()
  const elapsedMs = performance.now() - startMs
  const after = pool.stats()
  return {
    commands: at - from,
    elapsedMs,
    trades: after.trades - before.trades,
    logBytes: after.log.bytes - before.log.bytes,
    flushes: after.log.flushes - before.log.flushes,
    latency: latency.summary(),
  }
}
