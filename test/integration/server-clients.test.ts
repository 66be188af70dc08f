import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Balances } from '#tidemark/server/index.js'
import { root, runProgram } from '../support/run-script.js'
import { openVenue, serverModules } from '../support/served-venue.js'

/** The clients, with the number of methods and streams of theirs that are called, each in one way or several. */
const clients = [
  { name: 'ccxt', checks: 89 },
  { name: 'binance', checks: 108 },
  { name: 'binance-api-node', checks: 45 },
  { name: 'node-binance-api', checks: 41 },
  { name: '@binance/spot', script: 'binance-spot', checks: 120 },
] as const

/** Balances of a program's own, so that accounts trade without them, and see some. */
const balances: Balances = { of: () => [{ asset: 'USDT', free: '1000', locked: '10' }] }
const folder = path.join(root, 'test/clients')
const isInstalled = (name: string) => existsSync(path.join(folder, 'node_modules', name, 'package.json'))
const missing = clients.filter(({ name }) => !isInstalled(name)).map(({ name }) => name)
if (missing.length > 0)
  process.stderr.write(
    `SKIPPED: the server is not tested with ${missing.join(', ')} (npm ci --prefix test/clients).\n`,
  )

interface Check {
  readonly name: string
  readonly ok: boolean
}

describe.skipIf(typeof serverModules === 'string')('a client that knows only its base addresses', () => {
  for (const client of clients) {
    it.skipIf(!isInstalled(client.name))(`trades, asks and listens: ${client.name}`, async () => {
      const { server, alice, bob } = await openVenue({ balances })
      const script = path.join(folder, `${'script' in client ? client.script : client.name}.mjs`)
      const keys = [alice.apiKey, alice.secret, bob.apiKey, bob.secret]
      const { stdout, stderr } = await runProgram(process.execPath, [script, server.url, ...keys], {
        cwd: folder,
      })
      const checks = [...stdout.matchAll(/^CHECK (.*)$/gm)].map(([, text]) => JSON.parse(text!) as Check)
      expect(checks.filter(({ ok }) => !ok)).toEqual([])
      expect(checks.at(-1)?.name, stderr.slice(-2000)).toBe('done')
      // One that is left out, or twice the same, is noticed.
      expect(new Set(checks.map(({ name }) => name)).size - 1).toBe(client.checks)
    })
  }

  it.skipIf(!isInstalled('ccxt'))('does what docs/server.md shows with ccxt', async () => {
    const { server, alice, pool } = await openVenue()
    const page = readFileSync(path.join(root, 'docs/server.md'), 'utf8')
    const [, example] = /^```text\n(import ccxt .*?)^```/ms.exec(page)!
    const program = example!
      .replaceAll('127.0.0.1:8080', new URL(server.url).host)
      .replace("'KEY'", JSON.stringify(alice.apiKey))
      .replace("'SECRET'", JSON.stringify(alice.secret))
    expect(program.trim().split('\n').length).toBeLessThan(20)
    const file = path.join(folder, `example-${process.pid}.mjs`)
    writeFileSync(file, program)
    try {
      const result = await runProgram(process.execPath, [file], { cwd: folder })
      expect(result).toMatchObject({ code: 0, stderr: '' })
      expect(result.stdout).toContain("status: 'open'")
    } finally {
      rmSync(file)
    }
    expect(pool.stats().commands).toBeGreaterThan(3)
  })
})
