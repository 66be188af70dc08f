import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { EnginePool } from '#tidemark/pool/index.js'
import { etcd } from '#tidemark/replication/etcd/index.js'
import { root, tidemark } from '../support/cli.js'
import { type EtcdCluster, etcdMissing, startEtcd } from '../support/etcd-cluster.mjs'
import { bitcoin, limit } from '../support/pools.js'
import { temporaryDirectory } from '../support/temporary.js'

const missing = etcdMissing()
if (missing !== undefined) console.warn(`Skipped: ${missing}`)

let nodes: EtcdCluster | undefined
beforeAll(async () => {
  if (missing === undefined) nodes = await startEtcd({ nodes: 1 })
}, 60_000)
afterAll(async () => nodes?.stop())

function start(...args: string[]) {
  const child = spawn(process.execPath, [`${root}/dist/src/cli/main.js`, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [out, error] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, out, error }))
  return { child, ended, lines: createInterface({ input: child.stdout }) }
}

async function run(...args: string[]) {
  const { code, stdout: out, stderr: error } = await tidemark(args)
  return { code, out, error }
}

describe.skipIf(missing !== undefined)('tidemark standby, promote and replication status', () => {
  it('follow a primary, promote, say who is who, and end with the codes that the help has', async () => {
    const endpoints = nodes!.endpoints.join(',')
    const where = ['--etcd', endpoints, '--pool', 'cli']
    const dir = temporaryDirectory()
    const primary = await EnginePool.open({
      dir: temporaryDirectory(),
      instruments: [bitcoin],
      replication: { log: etcd({ endpoints }), pool: 'cli' },
    })
    onTestFinished(() => primary.close())
    await primary.submit(limit(1, 'buy', '100.00', '1'))

    const standby = start('standby', dir, ...where, '--name', 'second', '--json', '--lease', '600ms')
    const events: { event: string; name?: string }[] = []
    standby.lines.on('line', (line) => events.push(JSON.parse(line)))
    await expect.poll(() => events.map(({ event }) => event), { timeout: 20_000 }).toContain('primary')
    expect(events.find(({ event }) => event === 'follows')).toMatchObject({ name: 'second' })

    const status = async () => JSON.parse((await run('replication', 'status', ...where, '--json')).out)
    await expect.poll(status, { timeout: 20_000 }).toMatchObject({
      epoch: 1,
      standbys: [{ name: 'second', lagBytes: 0 }],
      lineage: [{ epoch: 1, firstLsn: 0 }],
    })
    expect((await start('replication', 'status', ...where).ended).out).toMatch(/standby +second: LSN/)

    const promoted = await start('promote', dir, '--json').ended
    expect(promoted).toMatchObject({ code: 0 })
    expect(JSON.parse(promoted.out)).toMatchObject({ epoch: 2 })
    await expect.poll(() => events.at(-1)).toMatchObject({ event: 'promoted', epoch: 2 })
    await expect(primary.submit(limit(2, 'buy', '100.00', '1'))).rejects.toMatchObject({
      code: 'TIDEMARK_LOG_POISONED',
    })
    expect(await status()).toMatchObject({ epoch: 2, standbys: [] })
    standby.child.kill('SIGTERM')
    expect(await standby.ended).toMatchObject({ code: 0 })

    const again = await EnginePool.open({ dir, replication: { log: etcd({ endpoints }), pool: 'cli' } })
    expect((await again.order('BTC-USD', 1)).order).toMatchObject({ remaining: '1.00000' })
    await again.close()
  })

  it('refuse what they cannot use, in one sentence and with a code', async () => {
    const where = ['--etcd', nodes!.endpoints.join(','), '--pool', 'refused']
    const dir = temporaryDirectory()
    expect(await run('promote', dir)).toMatchObject({
      code: 3,
      error: expect.stringContaining('No standby runs in'),
    })
    expect(await run('promote', `${dir}/missing`)).toMatchObject({ code: 3 })
    expect(await run('standby', dir, '--pool', 'x')).toMatchObject({ code: 2 })
    expect(await run('standby', dir, ...where, '--lease', '2')).toMatchObject({
      code: 2,
      error: expect.stringContaining('such as 2s'),
    })
    expect(await run('standby', dir, '--etcd', 'nonsense', '--pool', 'x')).toMatchObject({ code: 2 })
    expect(await run('standby', dir, ...where, '--etcd-ca', `${dir}/none`)).toMatchObject({ code: 3 })
    expect(await run('replication', 'status', ...where, '--etcd-user', 'root')).toMatchObject({ code: 2 })
    expect((await run('standby', '--help')).out).toMatch(/--auto-promote[\s\S]*Exit codes/)
  })
})
