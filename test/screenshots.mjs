// Takes the pictures of the dashboard that stand in docs/screenshots: a demo venue with traders, in light, in dark and narrow.
//
//   npm run docs:screenshots -- [--seconds 60]
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { EnginePool } from '../dist/src/index.js'
import { DemoTraders, demoInstruments, KeyStore, VenueServer } from '../dist/src/server/index.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } })
const browserPath = process.env.TIDEMARK_CHROMIUM ?? '/usr/bin/chromium'
const folder = path.join(import.meta.dirname, '../docs/screenshots')
const pictures = {
  light: { colorScheme: 'light', viewport: { width: 1280, height: 1080 } },
  dark: { colorScheme: 'dark', viewport: { width: 1280, height: 1080 } },
  narrow: { colorScheme: 'light', viewport: { width: 360, height: 1800 } },
}

if (!existsSync(browserPath)) {
  console.error(`There is no Chromium at ${browserPath}; TIDEMARK_CHROMIUM may name another.`)
  process.exit(1)
}
const peers = createRequire(path.join(import.meta.dirname, 'peers/package.json'))
const modules = {
  fastify: peers('fastify'),
  ws: peers('ws'),
  prometheus: peers('prom-client'),
  uplotFolder: path.dirname(peers.resolve('uplot')),
}
const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-screenshots-'))
const pool = await EnginePool.open({ dir, shards: 2, instruments: demoInstruments })
const keys = path.join(dir, 'keys.json')
const traderKeys = Array.from({ length: 20 }, (_, i) => new KeyStore(keys).create({ account: 1001 + i }))
const server = await VenueServer.open({ pool, keys, modules, weightPerMinute: 0 })
await server.ready()
const traders = await DemoTraders.start({ url: server.url, keys: traderKeys, modules })
await sleep(Number(values.seconds) * 1000)
const browser = await peers('playwright-core').chromium.launch({
  executablePath: browserPath,
  args: ['--no-sandbox'],
})
mkdirSync(folder, { recursive: true })
for (const [name, options] of Object.entries(pictures)) {
  const page = await browser.newPage(options)
  await page.goto(`${server.url}/?symbol=BTCUSDT&interval=1s`)
  await page.locator('#trades tbody tr').nth(10).waitFor()
  await sleep(4000)
  await page.screenshot({ path: path.join(folder, `dashboard-${name}.png`), fullPage: true })
  await page.close()
}
await browser.close()
await traders.stop()
await server.close()
await pool.close()
rmSync(dir, { recursive: true, force: true })
