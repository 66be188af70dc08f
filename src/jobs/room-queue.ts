import { setImmediate } from 'node:timers/promises'
import { Queue } from '@datastructures-js/queue'
import { isRingFull } from './errors.js'

interface Step {
  readonly run: () => void
  readonly failed: (error: unknown) => void
}

/**
 * Runs steps that append to a log, each as one synchronous piece and all in the order in which they came. While the
 * ring is full they wait here, so that no later step overtakes an earlier one.
 */
export class RoomQueue {
  readonly #steps = new Queue<Step>()
  readonly #awaitRoom: () => Promise<void>

  /** `awaitRoom` resolves when the log may have room again. */
  constructor(awaitRoom: () => Promise<void>) {
    this.#awaitRoom = awaitRoom
  }

  get size(): number {
    return this.#steps.size()
  }

  /**
   * Runs `run` now, or behind those that wait. It is called again after its append threw TIDEMARK_RING_FULL, so it must
   * change nothing before an append. Any other error goes to `failed`.
   */
  run(run: () => void, failed: (error: unknown) => void): void {
    const step = { run, failed }
    if (!this.#steps.isEmpty()) {
      this.#steps.enqueue(step)
    } else if (!attempt(step)) {
      this.#steps.enqueue(step)
      void this.#drain()
    }
  }

  async #drain(): Promise<void> {
    while (!this.#steps.isEmpty()) {
      try {
        await this.#awaitRoom()
      } catch (error) {
        while (!this.#steps.isEmpty()) this.#steps.dequeue()!.failed(error)
        return
      }
      // The mark moves a moment before the space is given back.
      await setImmediate()
      while (!this.#steps.isEmpty() && attempt(this.#steps.front()!)) this.#steps.dequeue()
    }
  }
}

/** Returns whether the step is done with. */
function attempt(step: Step): boolean {
  try {
    step.run()
  } catch (error) {
    if (isRingFull(error)) return false
    step.failed(error)
  }
  return true
}
