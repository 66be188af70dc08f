import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')

/** A folder that is removed when the process ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-tools-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Runs a command and returns what it printed. @throws Error with all of that, when it fails. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  })
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')} ended with ${status ?? error}:\n${stdout}${stderr}`)
}

/** Packs the package as it is published, and returns the tarball. Builds `dist` anew, without source maps. */
export function pack(folder) {
  run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
  return path.join(
    folder,
    readdirSync(folder).find((name) => name.endsWith('.tgz')),
  )
}

/** Installs what these tools need, where it is missing. */
export function installTools() {
  const here = import.meta.dirname
  if (spawnSync('npm', ['ls', '--prefix', here], { stdio: 'ignore' }).status !== 0)
    run('npm', ['ci', '--prefix', here, '--silent'])
}
