import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { Random } from './random.js'

const realRandomBytes = crypto.randomBytes
const realNow = Date.now

/** Makes what a log draws at random, its epochs, follow from a seed alone. In this process, until `freeEntropy`. */
export function fixEpochs(seed: number): void {
  const random = new Random(seed)
  crypto.randomBytes = ((bytes: number) => Buffer.from(random.bytes(bytes))) as typeof crypto.randomBytes
  syncBuiltinESMExports()
}

/** Sets the wall clock of this process: to `nowMs`, or to what that gives at each call. */
export function fixClock(nowMs: number | (() => number)): void {
  Date.now = typeof nowMs === 'number' ? () => nowMs : nowMs
}

/** Makes clock and randomness those of the system again. */
export function freeEntropy(): void {
  Date.now = realNow
  crypto.randomBytes = realRandomBytes
  syncBuiltinESMExports()
}
