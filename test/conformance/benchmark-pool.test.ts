import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dataFolder, hasData, root, summaryOf } from '../support/cli.js'

/** The SHA-256 of the report lines, as the benchmark's authors publish it. */
const published = 'e9b2e3926854410b01a035aeb25dd05f1e597c233be8263de9eb49b6713d367e'
const input = path.join(dataFolder, 'matching-engine-benchmark', 'normal_seed23.bin.gz')
const missing = !hasData('matching-engine-benchmark', 'normal_seed23.bin.gz')

/** Runs a script of test/support on the workload and a folder. */
function start(script: string, dir: string): ChildProcess {
  const file = path.join(root, 'test/support', script)
  return spawn(process.execPath, [file, input, dir], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.on('close', () => reject(new Error(`the child ended after ${JSON.stringify(text)}`)))
  })
}

describe.skipIf(missing)(`matching-engine-benchmark${missing ? ` (skipped: no ${input})` : ''}`, () => {
  it('gives the published hash through a pool with 2 shards', async () => {
    const { code, summary } = await summaryOf([input, '--benchmark-reports', '--shards', '2'])
    expect(code).toBe(0)
    expect(summary).toMatchObject({
      commands: 1_996_097,
      trades: 62_474,
      refused: { total: 0 },
      benchmarkReportSha256: published,
    })
  }, 240_000)

  it('gives it with 1 shard from the log that a second process reads after the first was killed', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-benchmark-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    const writer = start('cli-benchmark-writer.mjs', dir)
    expect(await firstLine(writer)).toBe('1996097 commands acknowledged')
    const ended = new Promise((resolve) => writer.on('close', (_, signal) => resolve(signal)))
    writer.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
    expect(await firstLine(start('cli-benchmark-reader.mjs', dir))).toBe(published)
  }, 240_000)
})
