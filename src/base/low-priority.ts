import { constants, getPriority, setPriority } from 'node:os'

/**
 * Lets the threads that write the log go first on the processor: for work that only reads files and that nothing waits for. On
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
