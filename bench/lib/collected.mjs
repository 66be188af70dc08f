import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/**
 * Collects the garbage of what was prepared, so that this is not done while the clock runs: the threads that mark it take
 * processors from the shard and the flusher for tens of milliseconds.
 */
export function collectGarbage() {
  collect()
}
