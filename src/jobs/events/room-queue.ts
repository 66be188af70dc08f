import { setImmediate } from 'node:timers/promises'
import { Queue } from '@datastructures-js/queue'
import { isShortage } from '../../log/index.js'
import { isRingFull } from '../errors.js'

interface Step {
  readonly run: () => void
  readonly failed: (error: unknown) => void
  /** Whether it waits while the disk is full, in place of being refused. */
  readonly waitsForDisk: () => boolean
}

/** What the steps wait for. */
export interface Room {
  /** Resolves when the ring may have room again. */
  inRing(): Promise<void>
  /** Resolves when the disk may have room again. */
  onDisk(): Promise<void>
}

const never = () => false

/**
 * Runs steps that append to a log, each as one synchronous piece and all in the order in which they came. While the
 * ring is full they wait here, so that no later step overtakes an earlier one. While the disk is full, those that log
 * what happened already wait, and those that ask for something new are refused.
 */
export class RoomQueue {
  readonly #room: Room
  #steps = new Queue<Step>()
  #draining = false
  /** The error of the disk that the first step met, while it waits for room there. */
  #full: unknown
  #gaveUp = false

  constructor(room: Room) {
    this.#room = room
  }

  get size(): number {
    return this.#steps.size()
  }

  /** Whether steps wait because the disk is full. */
  get waitsForDisk(): boolean {
    return this.#full !== undefined
  }

  /**
   * Runs `run` now, or after those that wait. It is called again after its append threw TIDEMARK_RING_FULL, or
   * TIDEMARK_DISK_FULL if it waits for that, so it must change nothing before an append. Any other error goes to
   * `failed`.
   */
  run(run: () => void, failed: (error: unknown) => void, waitsForDisk: () => boolean = never): void {
    const step = { run, failed, waitsForDisk }
    if (this.#full !== undefined && !waitsForDisk()) {
      failed(this.#full)
    } else if (!this.#steps.isEmpty() || !this.#attempt(step)) {
      this.#steps.enqueue(step)
      if (!this.#draining) void this.#drain()
    }
  }

  /** From now on a full disk is waited for no longer: what waits for it fails, once the disk is seen to be full still. */
  giveUpDisk(): void {
    this.#gaveUp = true
  }

  async #drain(): Promise<void> {
    this.#draining = true
    while (!this.#steps.isEmpty()) {
      try {
        await (this.#full === undefined ? this.#room.inRing() : this.#room.onDisk())
      } catch (error) {
        while (!this.#steps.isEmpty()) this.#steps.dequeue()!.failed(error)
        break
      }
      // The durable LSN moves a moment before the space is released.
      await setImmediate()
      this.#full = undefined
      while (!this.#steps.isEmpty() && this.#attempt(this.#steps.front()!)) this.#steps.dequeue()
    }
    this.#draining = false
  }

  /** Returns whether the step is done with. */
  #attempt(step: Step): boolean {
    try {
      step.run()
    } catch (error) {
      if (isRingFull(error)) return false
      if (isShortage(error) && !this.#gaveUp && step.waitsForDisk()) {
        this.#refuseNew(error)
        return false
      }
      step.failed(error)
    }
    return true
  }

  /** Of the steps that came while the ring was full, those that ask for something new are refused now. */
  #refuseNew(error: unknown): void {
    this.#full = error
    const [steps, refused] = [new Queue<Step>(), [] as Step[]]
    for (const step of this.#steps.toArray()) {
      if (step.waitsForDisk()) steps.enqueue(step)
      else refused.push(step)
    }
    this.#steps = steps
    for (const step of refused) step.failed(error)
  }
}
