/** The body of a request: an object of JSON. */
export type ActionFields = Readonly<Record<string, unknown>>

/** What an administrator did, or tried to do. */
export interface AdminEntry {
  readonly event: 'admin'
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly timeMs: number
  /** The name of the admin key; `local` where none is needed, and absent where none was right. */
  readonly who?: string
  /** Where the request came from. */
  readonly address: string
  /** What was asked for. */
  readonly action: string
  /** The fields of the request, as they came; absent when they were not read. */
  readonly fields?: ActionFields
  /** What came of it. */
  readonly outcome: 'done' | 'refused' | 'failed'
  /** Why not. */
  readonly code?: string
  /** Where its record ends in the log, if it has one. */
  readonly lsn?: number
  /** How long it took, in milliseconds. */
  readonly elapsedMs: number
}
