// Installs what the tests run against where it is missing: databases, the server's packages, clients. What can't be installed is named,
// and its tests say that they are skipped.
import { spawnSync } from 'node:child_process'
import * as path from 'node:path'

const folders = {
  'test/peers': 'The databases of the store and the packages of the server',
  'test/clients': 'The clients of the server',
}
const npm = (...args) => spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0

for (const [folder, what] of Object.entries(folders)) {
  const prefix = path.resolve(import.meta.dirname, '..', folder)
  const isThere = spawnSync('npm', ['ls', '--prefix', prefix], { stdio: 'ignore' }).status === 0
  // Nothing that a client wants to do when it is installed is needed to run it.
  const options = folder === 'test/clients' ? ['--ignore-scripts'] : []
  if (!isThere && !npm('ci', '--prefix', prefix, ...options))
    console.log(`${what} could not be installed; their tests say that they are skipped.`)
}
