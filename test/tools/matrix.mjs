// Whether tidemark works on each supported Node: build, unit tests, integration tests, and the examples of the packed package,
// with the binaries of the registry's package `node`, which are installed in a temporary folder. What fails is printed whole.
//
//   npm run test:matrix -- [--only 22] [--steps build,unit,integration,examples]
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { duckdb, peersEnvironment } from '../support/postgres-server.mjs'
import { pack, root, run, temporaryFolder } from './lib.mjs'

const versions = ['20.19', '22', '24', 'latest']
const allSteps = ['build', 'unit', 'integration', 'examples']
const { values: flags } = parseArgs({
  options: { only: { type: 'string' }, steps: { type: 'string', default: allSteps.join() } },
})
const chosen = versions.filter((version) => flags.only === undefined || version === flags.only)
const steps = flags.steps.split(',')
if (chosen.length === 0) throw new Error(`--only is ${flags.only}; use one of ${versions.join(', ')}.`)
if (!steps.every((step) => allSteps.includes(step))) throw new Error(`--steps takes ${allSteps.join()}.`)

const folder = temporaryFolder()
const tarball = steps.includes('examples') ? pack(folder) : undefined

/** Installs a Node, and returns the environment in which `node` is that one, with the exact version. @throws Error when it is another. */
function nodeOf(version) {
  const home = path.join(folder, `node-${version}`)
  mkdirSync(home)
  writeFileSync(path.join(home, 'package.json'), '{ "private": true }\n')
  // Its install script fetches the binary's own package.
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', `node@${version}`], { cwd: home })
  const env = { ...process.env, PATH: `${path.join(home, 'node_modules/node/bin')}:${process.env.PATH}` }
  const [file, exact] = JSON.parse(
    run('node', ['-p', 'JSON.stringify([process.execPath, process.version])'], { env }),
  )
  if (!file.startsWith(home)) throw new Error(`node@${version} was not installed: ${file} would be run.`)
  return { env, exact }
}

/** Runs until it is ended; the integration tests have it. */
const server = 'exchange.mjs'

/** Installs the packed package as a user does, and runs each of its examples twice in one folder. */
function runExamples(env, exact) {
  const home = path.join(folder, `user-${exact}`)
  mkdirSync(home)
  writeFileSync(path.join(home, 'package.json'), '{ "type": "module", "private": true }\n')
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', tarball], { cwd: home, env })
  const examples = path.join(home, 'examples')
  cpSync(path.join(home, 'node_modules/tidemark/examples'), examples, { recursive: true })
  for (const name of readdirSync(examples).filter((file) => file.endsWith('.mjs') && file !== server)) {
    const file = path.join(examples, name)
    if (!duckdb && readFileSync(file, 'utf8').includes("'tidemark/store'")) {
      console.log(`SKIPPED: ${name} needs DuckDB (npm ci --prefix test/peers).`)
      continue
    }
    const cwd = path.join(home, `in-${name}`)
    mkdirSync(cwd)
    for (let time = 0; time < 2; time++)
      run('node', [file, './data'], { cwd, env: { ...env, ...peersEnvironment } })
  }
  run('node', [path.join(home, 'node_modules/.bin/tidemark'), 'run', '--commands', '1000', '--verify'], {
    cwd: home,
    env,
  })
}

const vitest = (env, ...args) =>
  run('node', ['node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', ...args], { cwd: root, env })
const work = {
  build: (env) => run('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { cwd: root, env }),
  unit: (env) => vitest(env, 'test/unit'),
  integration: (env) => vitest(env, 'test/integration'),
  examples: runExamples,
}

let failures = 0
for (const version of chosen) {
  const { env, exact } = nodeOf(version)
  for (const step of steps) {
    const startMs = performance.now()
    let result = 'ok'
    try {
      work[step](env, exact)
    } catch (error) {
      failures++
      result = `FAILED\n${error.message}`
    }
    const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
    console.log(`Node ${exact}, ${step}, ${seconds} s: ${result}`)
  }
}
process.exitCode = failures === 0 ? 0 : 1
