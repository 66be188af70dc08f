// A failover, from the first order to the last: three nodes of etcd, a primary under load, a standby that follows it. The
// primary is killed, the standby finds its lease gone and takes over, and every acknowledged order is looked for.
//
//   npm run demo:failover -- [--seconds 5] [--lease 2000]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bytes, count, duration } from '../dist/src/cli/number-format.js'
import { etcd } from '../dist/src/replication/etcd/index.js'
import { Standby } from '../dist/src/standby/index.js'
import { etcdMissing, startEtcd } from '../test/support/etcd-cluster.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    lease: { type: 'string', default: '2000' },
  },
})
const [loadMs, leaseMs] = [Number(values.seconds) * 1000, Number(values.lease)]

const startMs = performance.now()
const say = (text) => console.log(`${duration(performance.now() - startMs).padStart(8)}  ${text}`)

const missing = etcdMissing()
if (missing !== undefined) {
  console.error(`The demo needs etcd: ${missing}`)
  process.exit(3)
}
const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-failover-'))
const nodes = await startEtcd()
say(`three nodes of etcd: ${nodes.endpoints.join(', ')}`)
let standby
let primary
let pool
try {
  const endpoints = [...nodes.endpoints]
  primary = spawn(process.execPath, [fileURLToPath(new URL('./lib/demo-primary.mjs', import.meta.url))], {
    env: {
      ...process.env,
      DIR: path.join(folder, 'primary'),
      ENDPOINTS: endpoints.join(','),
      LEASE_MS: String(leaseMs),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  /** Order ids that were acknowledged. */
  const acknowledged = new Set()
  const lines = createInterface({ input: primary.stdout })
  const ready = once(lines, 'line')
  await ready
  say(`a primary, process ${primary.pid}, acknowledges what is on its disk and on most nodes`)
  lines.on('line', (line) => {
    for (const id of line.split(' ')) acknowledged.add(Number(id))
  })
  standby = await Standby.open({
    dir: path.join(folder, 'standby'),
    replication: { log: etcd({ endpoints }), pool: 'demo', leaseMs },
    autoPromote: true,
  })
  say('a standby follows it, and promotes itself when its lease is gone')
  await new Promise((resolve) => setTimeout(resolve, loadMs))
  say(`${count(acknowledged.size)} orders acknowledged; the standby has ${bytes(standby.lsn)} of log`)

  const promoted = once(standby, 'promoted')
  let goneMs
  standby.on('holder', (holder) => {
    if (holder === undefined) goneMs ??= performance.now()
  })
  const killedMs = performance.now()
  primary.kill('SIGKILL')
  await once(primary, 'close')
  say('the primary is killed (SIGKILL)')
  ;[pool] = await promoted
  const promotedMs = performance.now()
  say(
    `the standby is the primary of epoch ${standby.stats().epoch}: ${duration(promotedMs - goneMs)} after the lease was gone, ${duration(promotedMs - killedMs)} after the kill`,
  )

  let lost = 0
  for (const orderId of acknowledged) {
    const { order } = await pool.order('BTC-USD', orderId)
    if (order === undefined) lost++
  }
  say(`${count(acknowledged.size)} acknowledged orders looked for: ${count(lost)} are missing`)
  const { status } = await pool.submit({
    type: 'new',
    symbol: 'BTC-USD',
    account: 1,
    side: 'buy',
    orderType: 'limit',
    price: '1.00',
    quantity: '1',
  })
  say(`a new order at the new primary: ${status}`)
  process.exitCode = lost === 0 && acknowledged.size > 0 && status === 'resting' ? 0 : 1
} finally {
  primary?.kill('SIGKILL')
  await standby?.close()
  await pool?.close()
  await nodes.stop()
  rmSync(folder, { recursive: true, force: true })
}
