import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { EnginePool } from '#tidemark/index.js'
import { Store } from '#tidemark/store/index.js'
import { root, tidemark } from '../support/cli.js'
import { postgresDriver, startPostgres } from '../support/postgres-server.mjs'
import { instruments, StoreFlow } from '../support/store-flow.mjs'
import { temporaryDirectory } from '../support/temporary.js'

const certificates = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
afterAll(() => rmSync(certificates, { recursive: true, force: true }))
const authority = path.join(certificates, 'ca.crt')

/** An authority, and a server's certificate for 127.0.0.1 that it signed; another authority that did not. Says what failed. */
function makeCertificates(): string | undefined {
  const openssl = (...args: string[]) => {
    const { status, stderr, error } = spawnSync('openssl', args, { cwd: certificates, encoding: 'utf8' })
    if (status !== 0) throw new Error(error ? String(error) : stderr)
  }
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  try {
    for (const name of ['ca', 'other'])
      openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`)
    const names = 'subjectAltName=IP:127.0.0.1'
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'server.key',
      '-out',
      'server.crt',
      '-subj',
      '/CN=server',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-addext',
      names,
    )
    return undefined
  } catch (error) {
    return `openssl made no certificate: ${(error as Error).message}`
  }
}

const unmade = makeCertificates()
const server = unmade ?? (await startPostgres({ tls: { folder: certificates, name: 'server' } }))
if (typeof server === 'string') process.stderr.write(`SKIPPED: a store over TLS is not tested: ${server}.\n`)
else afterAll(() => server.stop())

describe.skipIf(typeof server === 'string')('a store in PostgreSQL over TLS', () => {
  const database = (name: string) => (typeof server === 'string' ? '' : server.database(name))

  it('is written and read encrypted, whatever of the server is verified', async () => {
    const dir = path.join(temporaryDirectory(), 'log')
    const pool = await EnginePool.open({ dir, instruments })
    const flow = new StoreFlow(3)
    for (let i = 0; i < 50; i++) await pool.submit(flow.next()).catch(() => undefined)
    await pool.close()
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      const to = `${await database(`tls_${mode.replace('-', '_')}`)}?sslmode=${mode}${mode === 'require' ? '' : `&sslrootcert=${authority}`}`
      const store = await Store.open({ dir, to, driver: postgresDriver, follow: false })
      await store.ended
      const connections = await store.query(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tidemark store'",
      )
      // The one that writes and the one that reads.
      expect(connections.rows, mode).toEqual([{ ssl: true }, { ssl: true }])
      expect(
        (await store.query('SELECT COUNT(*) AS n FROM order_events')).rows[0]!['n'],
        mode,
      ).toBeGreaterThan(30)
      await store.close()
    }
  })

  it('is refused in one sentence where the server is not the one that the address says, or not so', async () => {
    const to = await database('tls_refused')
    const other = path.join(certificates, 'other.crt')
    const wrongName = to.replace('127.0.0.1', 'localhost')
    const refusals = [
      [
        `${to}?sslmode=verify-full`,
        /^No connection to postgres:\/\/127\.0\.0\.1:\d+\/tls_refused: .*certificate/,
      ],
      [`${to}?sslmode=verify-ca&sslrootcert=${other}`, /^No connection to .*certificate/],
      [
        `${wrongName}?sslmode=verify-full&sslrootcert=${authority}`,
        /^No connection to .*(altnames|Host: localhost)/,
      ],
      [`${to}?sslmode=require&sslrootcert=${certificates}/nowhere.crt`, /^No connection to .*nowhere\.crt/],
      [`${to}?sslmode=verify-ca`, /without sslrootcert/],
      [`${to}?sslmode=prefer`, /has sslmode=prefer; use disable, require, verify-ca, verify-full\.$/],
      // The server takes no connection without TLS.
      [`${to}?sslmode=disable`, /^No connection to .*no encryption/],
      [to, /^No connection to .*no encryption/],
    ] as const
    for (const [address, sentence] of refusals) {
      const result = await tidemark(['store', 'status', address], { cwd: path.join(root, 'test/peers') })
      expect(result, address).toMatchObject({ code: 3, stdout: '' })
      expect(result.stderr.trim()).toMatch(sentence)
      expect(result.stderr.trim().split('\n'), address).toHaveLength(1)
    }
  })
})
