import { ReplicationError } from '../../log/thread.js'
import { type Kv, LeaseEnded } from './kv.js'

const firstDelayMs = 20
const delayMsMax = 1000

/** Whether a call got no answer, so that it may be made again at once. */
export function isUnanswered(error: unknown): error is ReplicationError {
  return (
    error instanceof ReplicationError &&
    error.code === 'TIDEMARK_REPLICATION_UNAVAILABLE' &&
    !(error instanceof LeaseEnded)
  )
}

/** Makes a call that may be made more than once until it is answered, for as long as the store's patience lasts. */
export async function withPatience<T>(kv: Kv, call: () => Promise<T>): Promise<T> {
  const startMs = kv.clock.nowMs()
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, delayMsMax)) {
    try {
      return await call()
    } catch (error) {
      if (!isUnanswered(error)) throw error
      if (kv.clock.nowMs() + delayMs - startMs >= kv.patienceMs) throw error
    }
    await pause(kv, delayMs)
  }
}

/** Resolves after so long, or when the signal aborts. */
export function pause(kv: Kv, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const onAbort = () => {
      cancel()
      resolve()
    }
    const cancel = kv.clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
