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

/** The table of exit codes at the end of a command's `--help`: a code and what it means, one a line. */
export function exitCodeHelp(meanings: readonly (readonly [code: ExitCode, meaning: string])[]): string {
  const lines = meanings.map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}`)
  return ['', 'Exit codes:', ...lines].join('\n')
}
