import type { ErrorMessage } from '../../log/index.js'

/** What the thread that archives is asked. */
export interface ArchiveTask {
  readonly log: string
  readonly archive: string
  /** A word that is not 0 when the task is to end after the part that it is at. */
  readonly stop: SharedArrayBuffer
}

export type ArchiveOutcome = { readonly archivedLsn: number } | { readonly error: ErrorMessage }
