import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary.js'

const child = path.resolve('test/integration/jobs-memory-child.mjs')

const folderBytesMax = 8 * 1024 * 1024

describe('a queue through which many jobs pass', () => {
  it('keeps its heap, its files and what it remembers bounded', async () => {
    const process = spawn(
      globalThis.process.execPath,
      ['--expose-gc', child, temporaryDirectory(), '30000', String(folderBytesMax)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let output = ''
    process.stdout.on('data', (text) => {
      output += text
    })
    const [code] = await once(process, 'close')
    expect(code, output).toBe(0)
    const { samples, reopened } = JSON.parse(output) as {
      samples: { jobs: number; heapBytes: number; folderBytes: number; finishedKept: number }[]
      reopened: { completed: number; finishedKept: number; eventsReplayed: number }
    }
    const [early, late] = [samples[1]!, samples.at(-1)!]
    expect(late.jobs).toBe(30_000)
    expect(samples.map(({ finishedKept }) => finishedKept)).toEqual(samples.map(() => 500))
    // Were the later 24,000 jobs kept, the heap would grow by several MiB.
    expect(late.heapBytes - early.heapBytes).toBeLessThan(2 * 1024 * 1024)
    expect(Math.max(...samples.map(({ folderBytes }) => folderBytes))).toBeLessThan(folderBytesMax)
    expect(reopened).toEqual({ completed: 30_000, finishedKept: 500, eventsReplayed: 0 })
  })
})
