/** What `tidemark` ends with. Scripts depend on these numbers: a number, once given, keeps its meaning. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  badInput: 3,
  mismatch: 4,
  interrupted: 130,
} as const

/** What `tidemark log verify` says of a log, and `dump`, `repair` and `backup` of one that they find so. */
export const logExitCodes = { torn: 5, corrupt: 6 } as const

export type ExitCode =
  | (typeof exitCodes)[keyof typeof exitCodes]
  | (typeof logExitCodes)[keyof typeof logExitCodes]

/** The table that `--help` shows. */
export const exitCodeHelp = `
Exit codes:
  0    the flow ran to its end, and what was to be verified agrees
  1    the run failed: the disk, the folder, or the log
  2    bad usage: an unknown flag, a bad value of a flag or of a TIDEMARK_ variable
  3    the input can't be read or is in no known format
  4    a check failed: reopening gave another book, or the log tells another story than the input
       (--resume: it is of another input, or its beginning is gone)
  130  stopped by Ctrl-C; everything acknowledged is on disk`
