import { constants, getPriority, setPriority } from 'node:os'

/**
 * Lets whoever writes the log go first on the processor: for what only reads files and holds nobody up by being slow. On
 * Linux the priority is the calling thread's, so a thread of a pool may lower its own; elsewhere it would be that of the
 * whole process, and only a process of its own may.
 */
export function lowerPriority(alone: boolean): void {
  if (!alone && process.platform !== 'linux') return
  const { PRIORITY_BELOW_NORMAL: below } = constants.priority
  try {
    if (getPriority() < below) setPriority(below)
  } catch {
    // A system that does not allow it gives the work its usual share.
  }
}
