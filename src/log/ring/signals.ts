import { int32, type LogViews, logState } from './memory.js'

/**
 * Who wakes whom in a log. Each thread that waits has one signal word, a counter:
 *
 * | word | waits on it | who adds one to it |
 * |---|---|---|
 * | flusherSignal | the flusher: for work, for a full batch, for room on the disk, for the replicator | producers, the opener, the reader, the preallocator, the replicator |
 * | limitSignal | producers: for space in the ring | the flusher |
 * | releasedSignal | event loops: for what is released, synced or done | the flusher, the replicator, the opener |
 * | syncedSignal | the replicator: for what is synced, for the end | the flusher, the opener |
 * | preallocatorSignal | the preallocator: for the next segment to make | the flusher, the opener |
 *
 * Every wait follows one protocol:
 *
 * ```
 *  the thread that waits                        the thread that wakes it
 *  W1  remembers the signal word                C1  changes the state (a length, an LSN, a request)
 *  W2  looks at the state; there: no wait       C2  adds one to the signal word
 *  W3  waits while the signal word is           C3  notifies it
 *      what W1 remembers
 * ```
 *
 * All of these are sequentially consistent. If W2 does not see the change of C1, then C1, and with it C2, comes after W2
 * and so after W1: W3 finds another number in the word and does not wait, or C3 ends its wait. So the order matters on both
 * sides: remember, look, wait; change, add, notify. No wake-up can be missed. One that comes too early costs a look.
 */
export function wakeFlusher(control32: Int32Array): void {
  addAndNotify(control32, int32.flusherSignal)
}

/** See `wakeFlusher`. */
export function wakePreallocator(control32: Int32Array): void {
  addAndNotify(control32, int32.preallocatorSignal)
}

/** Wakes the event loops that wait for an LSN, or for a request to be completed. See `wakeFlusher`. */
export function wakeWaiters(control32: Int32Array): void {
  addAndNotify(control32, int32.releasedSignal)
}

/** Wakes the replicator. See `wakeFlusher`. */
export function wakeReplicator(control32: Int32Array): void {
  addAndNotify(control32, int32.syncedSignal)
}

/** Sets the state that no thread leaves again, and wakes every thread that waits for anything, so that none hangs. */
export function poisonMemory({ control32 }: LogViews): void {
  Atomics.store(control32, int32.state, logState.poisoned)
  addAndNotify(control32, int32.limitSignal)
  addAndNotify(control32, int32.releasedSignal)
  addAndNotify(control32, int32.flusherSignal)
  addAndNotify(control32, int32.preallocatorSignal)
  addAndNotify(control32, int32.syncedSignal)
}

function addAndNotify(control32: Int32Array, signal: number): void {
  Atomics.add(control32, signal, 1)
  Atomics.notify(control32, signal)
}
