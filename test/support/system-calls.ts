import { spawnSync } from 'node:child_process'

/** Whether strace can be run here. */
export const traced = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0

export interface Call {
  readonly name: string
  readonly args: string
  readonly result: number
  /** Lines of the trace at which it began and had ended. */
  readonly began: number
  readonly ended: number
}

/** The calls of a trace of several threads, put together where strace shows them in two halves. */
export function parseTrace(trace: string): Call[] {
  const unfinished = new Map<string, { head: string; began: number }>()
  const calls: Call[] = []
  for (const [number, line] of trace.split('\n').entries()) {
    const match = /^(\d+)\s+(.*)$/.exec(line)
    if (!match) continue
    const [, thread, rest] = match as unknown as [string, string, string]
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(thread, { head: rest.slice(0, -'<unfinished ...>'.length), began: number })
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const half = resumed ? unfinished.get(thread) : undefined
    const whole = half ? half.head + resumed![1] : rest
    const call = /^(\w+)\((.*)\)\s+= (-?\d+)/.exec(whole)
    if (call) {
      calls.push({
        name: call[1]!,
        args: call[2]!,
        result: Number(call[3]),
        began: half?.began ?? number,
        ended: number,
      })
    }
  }
  return calls
}
