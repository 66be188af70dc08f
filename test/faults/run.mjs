import { spawn } from 'node:child_process'
import * as path from 'node:path'
import { countedTests } from './counted-tests.mjs'

const root = path.resolve(import.meta.dirname, '../..')
const tests = countedTests(import.meta.dirname)
/** Longer than any of them takes: a test that hangs ends too. */
const testTimeoutMs = 4 * 3600 * 1000

function help() {
  const width = Math.max(...[...tests.keys()].map((name) => name.length))
  const lines = [...tests].map(([name, { file, short, full }]) => {
    const counts = [full, short].map((count) => countText(count).padStart(12))
    return `  --${name.padEnd(width)}  ${counts.join('')}  ${file}`
  })
  return `Usage: npm run test:faults -- [options] [file ...]

Runs the fault tests, whole or those whose file name holds one of the words given, and ends with a table.

  --short        the counts of npm test
  --shard i/n    every n-th case of each counted test, beginning with the i-th, such as 2/4
  --help         this

Counted tests, with the number of cases in full and in short:

${lines.join('\n')}
`
}

function countText(count) {
  if (count === Number.POSITIVE_INFINITY) return 'all'
  return count?.toLocaleString('en-US') ?? 'see file'
}

class UsageError extends Error {}

/** The environment of the tests, and the files that are wanted. */
function parse(args) {
  const environment = { TIDEMARK_FAULTS: 'full' }
  const files = []
  for (let i = 0; i < args.length; i++) {
    const [option, inline] = args[i].startsWith('--') ? splitOnce(args[i], '=') : [args[i], undefined]
    const value = () => {
      const given = inline ?? args[++i]
      if (given === undefined) throw new UsageError(`${option} needs a value`)
      return given
    }
    if (!option.startsWith('-')) files.push(option)
    else if (option === '--short') environment.TIDEMARK_FAULTS = 'short'
    else if (option === '--shard') environment.TIDEMARK_FAULTS_SHARD = shard(value())
    else if (tests.has(option.slice(2))) {
      const variable = option.slice(2).toUpperCase().replaceAll('-', '_')
      environment[`TIDEMARK_FAULTS_${variable}`] = count(option, value())
    } else {
      throw new UsageError(`there is no option ${option}; --help lists them all`)
    }
  }
  return { environment, files }
}

function splitOnce(text, separator) {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

function shard(text) {
  const [, i, n] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(text) ?? []
  if (i !== undefined && Number(i) <= Number(n)) return text
  throw new UsageError(`--shard is ${text}; give i/n with i from 1 to n, such as 2/4`)
}

function count(option, text) {
  if (/^\d{1,15}$/.test(text)) return text
  throw new UsageError(`${option} is ${text}; give a whole number of 0 or more`)
}

function run({ environment, files }) {
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
  const filters = files.length > 0 ? files.map((file) => `test/faults/${file}`) : ['test/faults/']
  const reporters = [
    '--reporter=default',
    `--reporter=${path.join(import.meta.dirname, 'table-reporter.mjs')}`,
  ]
  const args = [vitest, 'run', `--testTimeout=${testTimeoutMs}`, ...reporters, ...filters]
  // Settings of an earlier run would change what this one says it does.
  const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_FAULTS'))
  const env = { ...Object.fromEntries(outside), ...environment }
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
  child.on('exit', (code) => {
    process.exitCode = code ?? 1
  })
}

const args = process.argv.slice(2)
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(help())
} else {
  try {
    run(parse(args))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`test:faults: ${error.message}.\n`)
    process.exitCode = 2
  }
}
