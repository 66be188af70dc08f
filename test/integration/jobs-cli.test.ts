import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { JobLog } from '#tidemark/jobs/index.js'
import { tidemark as execute, root } from '../support/cli.js'
import { temporaryDirectory } from '../support/temporary.js'
import { damage, findText } from '../unit/jobs/support/folders.js'

const main = path.join(root, 'dist/src/cli/main.js')

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function start(args: readonly string[]) {
  const process = spawn(globalThis.process.execPath, [main, 'jobs', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  process.stdout.on('data', (text) => {
    out += text
  })
  process.stderr.on('data', (text) => {
    err += text
  })
  const ended = once(process, 'close').then(([code]): Outcome => ({ code: code as number, out, err }))
  return { process, ended, output: () => out + err }
}

async function tidemark(...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await execute(['jobs', ...args])
  return { code: code!, out: stdout, err: stderr }
}

function file(name: string, text: string): string {
  const target = path.join(temporaryDirectory(), name)
  fs.writeFileSync(target, text)
  return target
}

/** Every file of a folder, with its bytes and when it was written. */
function filesOf(dir: string): Map<string, unknown> {
  return new Map(
    fs.readdirSync(dir).map((name) => {
      const target = path.join(dir, name)
      return [name, [fs.statSync(target).mtimeMs, fs.readFileSync(target).toString('base64')]]
    }),
  )
}

const handler = `export default async ({ payload, attempt }) => {
  if (payload?.fails && attempt === 1) throw new Error('again')
}
export const hangs = () => new Promise((resolve) => setTimeout(resolve, 60000))
`

describe('tidemark jobs', () => {
  it('enqueues, shows, runs, dumps and validates', async () => {
    const dir = temporaryDirectory()
    expect(await tidemark('enqueue', dir, '{"fails":true}', '--id', 'first', '--priority', '2')).toEqual({
      code: 0,
      out: 'first\n',
      err: '',
    })
    expect((await tidemark('enqueue', dir, '1', '--id', 'first')).out).toBe(
      'first is known already: pending\n',
    )
    const lines = [...'abc', 'a'].map((id) => JSON.stringify({ id, payload: { id } }))
    const { ended } = start(['enqueue', dir, '--file', file('jobs.jsonl', `${lines.join('\n')}\n\n`)])
    const many = await ended
    expect(many).toEqual({ code: 0, out: '3 jobs are on disk, 1 were known already\n', err: '' })
    const before = await tidemark('status', dir)
    expect(before.out).toMatch(/^pending +4\nin flight +0\ncompleted +0\ndead +0 \(0 cancelled\)\n/)
    const worked = start(['run', dir, '--handler', file('handler.mjs', handler), '--until-empty'])
    const run = await worked.ended
    expect(run).toMatchObject({ code: 0 })
    expect(run.out).toMatch(/^completed +4\ndead +0\nretried +1\n/)
    const idle = await tidemark('run', dir, '--handler', file('handler.mjs', handler), '--until-empty')
    expect(idle.out).toMatch(/^completed +0\n/)
    expect(idle.out).toMatch(/^dispatch latency +-$/m)
    expect(JSON.parse((await tidemark('status', dir, '--json')).out)).toMatchObject({
      pending: 0,
      inFlight: 0,
      totals: { enqueued: 4, dispatched: 5, completed: 4, retried: 1 },
    })
    const valid = await tidemark('validate', dir, '--json')
    expect(valid.code).toBe(0)
    expect(JSON.parse(valid.out)).toMatchObject({ valid: true, damage: [] })
    expect((await tidemark('validate', dir)).out).toMatch(/^log +valid\n/)
  })

  it('keeps the history for dump unless asked not to, and its readers change nothing', async () => {
    const dir = temporaryDirectory()
    const types = async () =>
      (await tidemark('dump', dir)).out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).type)
    await tidemark('enqueue', dir, '1', '--id', 'a')
    await tidemark('enqueue', dir, '2', '--id', 'b')
    await tidemark('run', dir, '--handler', file('handler.mjs', handler), '--until-empty')
    const before = filesOf(dir)
    expect(before.size).toBeGreaterThan(2)
    const all = ['ENQUEUE', 'ENQUEUE', 'DISPATCH', 'DISPATCH', 'ACK', 'ACK']
    expect((await types()).sort()).toEqual(all.sort())
    await Promise.all([
      tidemark('validate', dir),
      tidemark('status', dir),
      tidemark('dump', dir, '--tolerant'),
    ])
    expect(filesOf(dir)).toEqual(before)
    expect((await tidemark('status', dir)).out).toMatch(/log on disk +\d/)
    await tidemark('enqueue', dir, '3', '--id', 'c', '--drop-history')
    expect(await types()).toEqual([])
    expect(JSON.parse((await tidemark('status', dir, '--json')).out)).toMatchObject({
      pending: 1,
      lastSeq: 7,
    })
  })

  it('runs handlers in threads, and lets them end on Ctrl-C', async () => {
    const dir = temporaryDirectory()
    await tidemark('enqueue', dir, '{}', '--id', 'hangs')
    const target = file('handler.mjs', handler)
    const run = start([
      'run',
      dir,
      '--handler',
      target,
      '--export',
      'hangs',
      '--threads',
      '1',
      '--grace',
      '50',
    ])
    while (!run.output().includes('0 completed') && run.process.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const beside = await tidemark('status', dir, '--json')
    expect(JSON.parse(beside.out)).toMatchObject({ pending: 0, inFlight: 1 })
    run.process.kill('SIGINT')
    const outcome = await run.ended
    expect(outcome.code).toBe(130)
    expect(outcome.out).toMatch(/still pending +1\n/)
  })

  it('dumps events as they were asked for, and skips damage only when asked to', async () => {
    const dir = temporaryDirectory()
    const log = await JobLog.open(dir)
    for (const id of ['a', 'b', 'c']) await log.append('ENQUEUE', id, { payload: 1 })
    await log.append('DISPATCH', 'a')
    await log.close()
    const [dump, ofOneJob] = await Promise.all([
      tidemark('dump', dir, '--type', 'ENQUEUE', '--from', '2'),
      tidemark('dump', dir, '--job', 'a', '--to', '3'),
    ])
    expect(
      dump.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).jobId),
    ).toEqual(['b', 'c'])
    expect(ofOneJob.out.trim().split('\n').length).toBe(1)
    const place = findText(dir, '"jobId":"b"')
    damage(place.file, place.offset)
    const [strict, tolerant, invalid] = await Promise.all([
      tidemark('dump', dir),
      tidemark('dump', dir, '--tolerant'),
      tidemark('validate', dir),
    ])
    expect(strict.code).toBe(1)
    expect(strict.err).toMatch(/^The job log is corrupt at LSN \d+, byte \d+ of .*where event 2 is due/)
    expect(tolerant.code).toBe(0)
    expect(tolerant.out.trim().split('\n').length).toBe(3)
    expect(tolerant.err).toMatch(/^Skipped 1 events from 2 on, byte \d+/)
    expect(invalid.code).toBe(4)
    expect(invalid.out).toMatch(/^log +CORRUPT: 1 damaged place\n/)
    expect(invalid.out).toMatch(/event 2 +record, byte \d+ of .*, 1 events missing: bad-crc\n/)
  })

  it('says in one sentence what is wrong', async () => {
    const none = () => path.join(temporaryDirectory(), 'none')
    const made = path.join(temporaryDirectory(), 'made')
    const cases = [
      [['status', none()], 3, 'There is no folder'],
      [['validate', none()], 3, 'There is no folder'],
      [['enqueue', none(), '{x'], 3, 'The payload is not JSON'],
      [['enqueue', none()], 2, 'Give either'],
      [['enqueue', made, '--file', file('bad.jsonl', '{"id":"a"}\n7\n')], 3, 'Line 2 of'],
      [['run', none(), '--handler', '/no/handler.mjs'], 3, 'There is no handler'],
      [
        ['run', none(), '--handler', file('h.mjs', 'export const x = 1')],
        3,
        'has no function under the export "default"',
      ],
      [['run', none(), '--handler', file('empty.mjs', handler), '--until-empty'], 3, 'There is no folder'],
    ] as const
    const check = async ([args, code, words]: (typeof cases)[number]) => {
      const outcome = await tidemark(...args)
      expect(outcome.err.trim().split('\n').length, outcome.err).toBe(1)
      expect(outcome).toMatchObject({ code, err: expect.stringContaining(words) })
    }
    for (const one of cases) await check(one)
  })
})
