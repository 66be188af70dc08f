import { readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { Command } from 'commander'
import { afterEach, expect, it, vi } from 'vitest'
import { registerFactors } from '#tidemark/cli/factors/command.js'
import { temporaryDirectory } from '../support/temporary.js'

afterEach(() => vi.restoreAllMocks())

/** Runs the command line in this process; what it writes to standard output. */
async function tidemark(...args: string[]): Promise<string> {
  let out = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text
    return true
  })
  const program = new Command('tidemark')
  registerFactors(program)
  const overrideAll = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => {} })
    command.commands.forEach(overrideAll)
  }
  overrideAll(program)
  try {
    await program.parseAsync(['factors', ...args], { from: 'user' })
  } finally {
    vi.restoreAllMocks()
  }
  return out
}

function ticksFile(rows: number): { file: string; folder: string } {
  const folder = temporaryDirectory()
  const file = path.join(folder, 'ticks.csv')
  const lines = Array.from(
    { length: rows },
    (_, i) => `${i % 2 === 0 ? 'A' : '"B, C"'},${1000 + i},${10 + (i % 7)},,${i % 5}`,
  )
  writeFileSync(file, `symbol,time,price,bid,volume\n${lines.join('\n')}\n`)
  return { file, folder }
}

const factors = [
  '--factor',
  'ma5=mean(last,5)',
  'rsi14=rsi(last,14)',
  '--factor',
  'trend=macd(last)',
  '--no-progress',
]

it('runs a file of ticks, writes the values, and recovers them', async () => {
  const { file, folder } = ticksFile(200)
  const dir = path.join(folder, 'log')
  const values = path.join(folder, 'values.csv')
  const summary = JSON.parse(
    await tidemark('run', file, ...factors, '--dir', dir, '--values', values, '--json'),
  )
  expect(summary).toMatchObject({ ticks: 200, refusedRows: 0, instruments: 2, durableValues: 1000 })
  const lines = readFileSync(values, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(201)
  expect(lines[0]).toBe('instrument,timestamp,ma5,rsi14,trend.line,trend.signal,trend.histogram')
  expect(lines[2]).toBe('"B, C",1001,,,,,')
  const recovered = JSON.parse(await tidemark('recover', dir, '--format', 'json'))
  expect(recovered).toMatchObject({ ticks: 200, lastTimestamp: 1199, values: summary.values })
  expect(lines.at(-1)).toContain(String(recovered.values['B, C']['trend.histogram']))
  expect(await tidemark('recover', dir, '--format', 'csv', '--instrument', 'A')).toMatch(
    /^instrument.*\nA,1198,[\d.]+,.*\n$/,
  )
  expect(await tidemark('recover', dir)).toMatch(/ticks +200\n/)
})

it('continues where an earlier run was stopped', async () => {
  const { file, folder } = ticksFile(300)
  const half = path.join(folder, 'half.csv')
  writeFileSync(half, readFileSync(file, 'utf8').split('\n').slice(0, 151).join('\n'))
  const dir = path.join(folder, 'log')
  await tidemark('run', half, ...factors, '--dir', dir)
  const rest = JSON.parse(await tidemark('run', file, ...factors, '--dir', dir, '--resume', '--json'))
  expect(rest).toMatchObject({ ticks: 150, skipped: 150 })
  const whole = JSON.parse(await tidemark('run', file, ...factors, '--json'))
  expect(whole.folder.temporary).toBe(true)
  expect(rest.values).toEqual(whole.values)
})

it('reports rows that are no ticks, and takes the others', async () => {
  const folder = temporaryDirectory()
  const file = path.join(folder, 'ticks.csv')
  writeFileSync(file, 'last,volume\n1,2\nx,2\n3\n4,-1\n5,6\n')
  const summary = JSON.parse(
    await tidemark('run', file, '--factor', 'n=count(last,9)', '--no-progress', '--json'),
  )
  expect(summary).toMatchObject({ ticks: 2, refusedRows: 3, values: { TICKS: { n: 2 } } })
  expect(summary.refused.map(({ line }: { line: number }) => line)).toEqual([3, 4, 5])
})

it.each([
  ['a factor that is none', 'TIDEMARK_BAD_EXPRESSION', ['--factor', 'a=mean(last']],
  ['a factor of what is not there', 'TIDEMARK_UNKNOWN_FACTOR', ['--factor', 'a=mean(lost,5)']],
  ['a circle', 'TIDEMARK_FACTOR_CYCLE', ['--factor', 'a=b', 'b=a']],
  ['no factor', 'TIDEMARK_BAD_USAGE', []],
  ['no expression', 'commander.invalidArgument', ['--factor', 'a']],
])('refuses %s', async (_what, code, flags) => {
  const { file } = ticksFile(10)
  await expect(tidemark('run', file, ...flags, '--no-progress')).rejects.toMatchObject({ code })
})

it('refuses an input without fields, and a folder that is not there', async () => {
  const file = path.join(temporaryDirectory(), 'ticks.csv')
  writeFileSync(file, 'a,b\n1,2\n')
  await expect(tidemark('run', file, '--factor', 'a=last')).rejects.toMatchObject({
    code: 'TIDEMARK_BAD_INPUT',
  })
  await expect(tidemark('recover', `${file}-not`)).rejects.toMatchObject({ code: 'TIDEMARK_BAD_INPUT' })
})
