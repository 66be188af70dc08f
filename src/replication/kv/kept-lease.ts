import { mayPass, type ReplicationError } from '../../log/thread.js'
import type { Kv, Lease } from './kv.js'

/** A lease is renewed so often before it would end. */
const renewalsPerTtl = 3

/**
 * Puts the key that a lease is kept for, or looks whether it may still be there. Called after each renewal, one call at a time.
 *
 * @param isNew whether the lease is another one than at the last call.
 * @throws ReplicationError one that may pass (`mayPass`), and it is called again; any other ends the lease.
 */
export type PutLeased = (lease: string, isNew: boolean) => Promise<void>

/**
 * Keeps a lease alive, and a key under it, until it is released or the key may no longer be there. A lease that ended meanwhile, because its
 * renewals did not get through, is replaced by a new one.
 */
export class KeptLease {
  /** With the error that ended it, or undefined after `release`. Never rejects. */
  readonly ended: Promise<ReplicationError | undefined>
  readonly #kv: Kv
  readonly #ttlMs: number
  readonly #put: PutLeased
  #lease: Lease | undefined
  #renewedMs = Number.NEGATIVE_INFINITY
  #released = false
  /** Whether the key is to be put before the next renewal is due. */
  #touched = false
  #working: Promise<void> = Promise.resolve()
  #end: (error: ReplicationError | undefined) => void = () => {}
  #wake: () => void = () => {}

  constructor(kv: Kv, ttlMs: number, put: PutLeased) {
    this.#kv = kv
    this.#ttlMs = ttlMs
    this.#put = put
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Takes the lease and puts the key once; from then on the rest goes by itself. @throws what `put` throws, and passing errors. */
  async begin(): Promise<void> {
    try {
      await this.#work()
    } catch (error) {
      await this.release()
      throw error
    }
    this.#keep()
  }

  /** Lets the key be put soon, not only with the next renewal. */
  touch(): void {
    this.#touched = true
    this.#wake()
  }

  /** Ends the lease: its key is gone when this resolves, or a little later when there is no answer. */
  async release(): Promise<void> {
    if (this.#released) return
    this.#released = true
    this.#wake()
    await this.#working.catch(() => {})
    if (this.#lease) {
      // Without an answer it ends by itself, since it is not renewed.
      await this.#kv.endLease(this.#lease.id).catch(() => {})
    }
    this.#end(undefined)
  }

  async #keep(): Promise<void> {
    let failed = false
    for (;;) {
      if (!this.#touched || failed) await this.#wait(failed)
      if (this.#released) return
      this.#touched = false
      this.#working = this.#work()
      try {
        await this.#working
        failed = false
      } catch (error) {
        failed = true
        if (mayPass(error)) continue
        this.#released = true
        this.#end(error as ReplicationError)
        return
      }
    }
  }

  async #work(): Promise<void> {
    const { clock } = this.#kv
    const due = clock.nowMs() - this.#renewedMs >= this.#delayMs() / 2
    let isNew = false
    if (due) {
      const startMs = clock.nowMs()
      isNew = this.#lease === undefined || !(await this.#kv.keepLease(this.#lease.id))
      if (isNew) this.#lease = await this.#kv.grantLease(this.#ttlMs)
      this.#renewedMs = startMs
    }
    try {
      await this.#put(this.#lease!.id, isNew)
    } catch (error) {
      // Without knowing that the key stands under the new lease, the next call must put it again.
      if (isNew) this.#lease = undefined
      this.#renewedMs = Number.NEGATIVE_INFINITY
      throw error
    }
  }

  #delayMs(): number {
    return (this.#lease?.ttlMs ?? this.#ttlMs) / renewalsPerTtl
  }

  /** Until the next renewal is due, or sooner when there is something to put and the last call was answered. */
  #wait(failed: boolean): Promise<void> {
    const delayMs = failed ? this.#delayMs() / renewalsPerTtl : this.#delayMs()
    return new Promise((resolve) => {
      const cancel = this.#kv.clock.after(delayMs, resolve)
      this.#wake = () => {
        if (failed && !this.#released) return
        cancel()
        resolve()
      }
    })
  }
}
