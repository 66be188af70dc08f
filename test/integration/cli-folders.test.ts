import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { tidemark } from '../support/cli.js'
import { temporaryDirectory } from '../support/temporary.js'

const run = (...args: string[]) => tidemark(['run', '--commands', '50', '--no-progress', ...args])

/** A folder with a pool, a queue and factors in it. */
async function folders() {
  const dir = temporaryDirectory()
  const ticks = path.join(dir, 'ticks.csv')
  writeFileSync(ticks, 'last\n1\n2\n3\n')
  const at = (name: string) => path.join(dir, name)
  const factors = [
    'factors',
    'run',
    ticks,
    '--factor',
    'm=mean(last,2)',
    '--dir',
    at('factors'),
    '--no-progress',
  ]
  expect(await run('--dir', at('pool'))).toMatchObject({ code: 0 })
  expect(await tidemark(['jobs', 'enqueue', at('jobs'), '{"a":1}'])).toMatchObject({ code: 0 })
  expect(await tidemark(factors)).toMatchObject({ code: 0 })
  mkdirSync(at('empty'))
  return { at, factors }
}

describe('a folder that is not what a command reads', () => {
  it('is refused with what it is, before anything of it is touched', async () => {
    const { at, factors } = await folders()
    const handler = path.join(at('empty'), 'handler.mjs')
    writeFileSync(handler, 'export default () => {}')
    const cases: [args: string[], is: string][] = [
      [['jobs', 'validate', at('pool')], 'of a matching pool, not of a job queue. "tidemark log" reads it'],
      [['jobs', 'status', at('factors')], 'of a factor engine, not of a job queue'],
      [['jobs', 'dump', at('pool')], 'of a matching pool'],
      [['jobs', 'enqueue', at('pool'), '{}'], 'of a matching pool'],
      [['jobs', 'run', at('factors'), '--handler', handler], 'of a factor engine'],
      [['factors', 'recover', at('jobs')], 'of a job queue, not of a factor engine'],
      [[...factors.slice(0, -2), at('pool'), '--append'], 'of a matching pool, not of a factor engine'],
      [['run', '--dir', at('jobs')], 'of a job queue, not of a matching pool'],
      [['log', 'backup', at('jobs'), at('copy')], 'of a job queue, not of a matching pool'],
    ]
    for (const [args, is] of cases) {
      const result = await tidemark(args)
      expect(result, args.join(' ')).toMatchObject({
        code: 3,
        stdout: '',
        stderr: expect.stringContaining(is),
      })
    }
    for (const name of ['pool', 'jobs', 'factors']) {
      expect(await tidemark(['log', 'verify', at(name), '--no-progress'])).toMatchObject({ code: 0 })
    }
  })

  it('or holds no log, or is not there, differs from others by its message, with one exit code', async () => {
    const dir = temporaryDirectory()
    const at = (name: string) => path.join(dir, name)
    mkdirSync(at('empty'))
    writeFileSync(at('file'), '')
    symlinkSync('nowhere', at('link'))
    const commands = [
      'log verify',
      'log stats',
      'log dump',
      'log salvage',
      'log repair',
      'jobs status',
      'jobs validate',
      'jobs dump',
      'factors recover',
    ]
    for (const [index, command] of commands.entries()) {
      const name = ['empty', 'missing', 'file', 'link'][index % 4]!
      const says = {
        empty: 'There is no log in',
        missing: 'There is no folder',
        file: 'is not a folder',
        link: 'There is no folder',
      }
      const result = await tidemark([...command.split(' '), at(name)])
      expect(result, `${command} ${name}`).toMatchObject({
        code: 3,
        stdout: '',
        stderr: expect.stringContaining(says[name as keyof typeof says]),
      })
    }
    for (const name of ['empty', 'missing', 'file']) {
      expect(await tidemark(['log', 'verify', at(name)]), name).toMatchObject({ code: 3 })
    }
  })

  it('has a name that can not be is refused in words', async () => {
    const dir = temporaryDirectory()
    symlinkSync('nowhere', path.join(dir, 'link'))
    const link = await run('--dir', path.join(dir, 'link'))
    expect(link).toMatchObject({ code: 1, stderr: expect.stringContaining('a symbolic link to a place') })
    const long = await run('--dir', path.join(dir, 'x'.repeat(300)))
    expect(long).toMatchObject({ code: 1, stderr: expect.stringContaining('the name is too long') })
  })
})

describe('a folder of factors', () => {
  it('is not fed twice unless that is asked for', async () => {
    const { at, factors } = await folders()
    const again = await tidemark(factors)
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(again.stderr).toMatch(/holds 3 ticks of an earlier run\. Add --resume .* --append/)
    const resumed = await tidemark([...factors, '--resume'])
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing was left to do') })
    const appended = await tidemark([...factors, '--append', '--json'])
    expect(JSON.parse(appended.stdout)).toMatchObject({ ticks: 3, skipped: 0 })
    const recovered = await tidemark(['factors', 'recover', at('factors'), '--format', 'json'])
    expect(JSON.parse(recovered.stdout)).toMatchObject({ ticks: 6 })
    const shorter = await tidemark([...factors, '--resume'])
    expect(shorter).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('holds 6 ticks, the input only 3'),
    })
  })
})

describe('factors run --resume', () => {
  const header = 'instrument,timestamp,last\n'
  const rows = `A,1,10\n${'X'.repeat(300)},2,5\nA,3,20\nB,4,30\n`

  it('passes over each tick that is on disk once, whatever rows were refused, and takes what a file has grown by', async () => {
    const { args, ticks } = feed(header + rows)
    const first = await tidemark(args)
    expect(JSON.parse(first.stdout)).toMatchObject({ ticks: 3, refusedRows: 1 })
    const again = await tidemark([...args, '--resume'])
    expect(JSON.parse(again.stdout)).toMatchObject({ ticks: 0, skipped: 3 })
    writeFileSync(ticks, `${header}${rows}A,5,40\n`)
    const grown = await tidemark([...args, '--resume'])
    expect(JSON.parse(grown.stdout)).toMatchObject({ ticks: 1, skipped: 3, values: { A: { s: 60 } } })
  })

  it.each([
    ['of other instruments', 'A,1,10\nA,3,20\nC,4,30\n'],
    ['at other times', 'A,1,10\nA,2,20\nB,4,30\n'],
    ['with other values', 'A,1,10\nA,3,2\nB,4,30\n'],
    ['of other numbers', 'A,1,10\nB,3,20\nB,4,30\n'],
  ])('refuses a file with as many ticks, %s', async (_, other) => {
    const { args, ticks } = feed(header + rows)
    expect(await tidemark(args)).toMatchObject({ code: 0 })
    writeFileSync(ticks, `${header}${other}A,5,40\n`)
    const { code, stdout, stderr } = await tidemark([...args, '--resume'])
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
    expect(stderr).toMatch(/holds other ticks of [AB] than the first 3 of the input: --resume needs the file/)
  })

  function feed(text: string) {
    const dir = temporaryDirectory()
    const ticks = path.join(dir, 'ticks.csv')
    writeFileSync(ticks, text)
    const flags = ['--factor', 's=sum(last,2)', '--dir', path.join(dir, 'factors'), '--json', '--no-progress']
    return { ticks, args: ['factors', 'run', ticks, ...flags] }
  }
})

describe('factors run', () => {
  it('is bad usage with a name that no factor can have', async () => {
    const ticks = path.join(temporaryDirectory(), 'ticks.csv')
    writeFileSync(ticks, 'last\n1\n2\n')
    const result = await tidemark(['factors', 'run', ticks, '--factor', 'a b=last', '--no-progress'])
    expect(result).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining("can't name a factor"),
    })
  })
})

describe('a run that is resumed with nothing left to do', () => {
  it('says so instead of a throughput', async () => {
    const dir = path.join(temporaryDirectory(), 'pool')
    expect(await run('--dir', dir, '--resume')).toMatchObject({ code: 0 })
    const { code, stdout } = await run('--dir', dir, '--resume')
    expect(code).toBe(0)
    expect(stdout).toMatch(/on disk before +50 commands; nothing was left to do\n/)
    expect(stdout).not.toMatch(/commands\/s|0\.00/)
  })
})

describe('jobs of a file', () => {
  it('are refused beside flags of one job', async () => {
    const dir = temporaryDirectory()
    const file = path.join(dir, 'jobs.jsonl')
    writeFileSync(file, '{"payload":1}\n')
    const args = ['jobs', 'enqueue', path.join(dir, 'q'), '--file', file]
    expect(await tidemark([...args, '--priority', '3'])).toMatchObject({ code: 2 })
    expect(await tidemark(args)).toMatchObject({ code: 0 })
  })
})
