import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { bundle } from '../../workers/bundle.mjs'
import { mutants } from './mutants.mjs'

/** Longer than the tests of any mutant take: one that loops for ever ends here, and counts as killed. */
const limitMs = 300_000

// node test/mutants/run.mjs [--shard 1/2] [words of the names of those to run]
const words = process.argv.slice(2)
if (words[0]?.startsWith('-') && words[0] !== '--shard') {
  console.log('Usage: npm run test:mutants -- [--shard i/n] [words of the names of those to run]')
  process.exit(words[0] === '--help' ? 0 : 2)
}
const [part, parts] = words[0] === '--shard' ? words.splice(0, 2)[1].split('/').map(Number) : [1, 1]
const chosen = mutants
  .filter(({ name }) => name.includes(words.join(' ')))
  .filter((_mutant, index) => index % parts === part - 1)
let survivors = 0
for (const { name, file, find, replace, tests } of chosen) {
  const original = readFileSync(file, 'utf8')
  if (original.split(find).length !== 2) {
    console.log(`BROKEN    ${name}: its place in ${file} is not there exactly once`)
    survivors++
    continue
  }
  let red
  try {
    writeFileSync(
      file,
      original.replace(find, () => replace),
    )
    await bundle()
    red = await failedTests(tests)
  } finally {
    writeFileSync(file, original)
  }
  if (red.length === 0) survivors++
  console.log(`${red.length > 0 ? 'killed  ' : 'SURVIVED'}  ${name}`)
  for (const title of red.slice(0, 3)) console.log(`            by: ${title}`)
}
await bundle()
console.log(`${chosen.length - survivors} of ${chosen.length} mutants were killed`)
process.exitCode = survivors === 0 && chosen.length > 0 ? 0 : 1

/** The names of the tests that failed, the first of each file. */
async function failedTests(tests) {
  const vitest = path.resolve('node_modules/vitest/vitest.mjs')
  const child = spawn(process.execPath, [vitest, 'run', '--reporter=json', '--bail=1', ...tests], {
    stdio: ['ignore', 'pipe', 'ignore'],
    // A group of its own: what the tests started ends with them when the time is over.
    detached: true,
  })
  let output = ''
  let late = false
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const timer = setTimeout(() => {
    late = true
    process.kill(-child.pid, 'SIGKILL')
  }, limitMs)
  await new Promise((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  if (late) return [`the tests do not end within ${limitMs / 1000} s`]
  const report = JSON.parse(output.slice(output.indexOf('{')))
  return report.testResults.flatMap(({ name, status, assertionResults }) => {
    const failed = assertionResults
      .filter((result) => result.status === 'failed')
      .map(({ fullName }) => fullName)
    // A file that can't be run at all, such as one whose set-up fails, has no results.
    return failed.length === 0 && status === 'failed' ? [path.basename(name)] : failed
  })
}
