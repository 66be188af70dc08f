import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { mutants } from './mutants.mjs'

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
    const run = spawnSync('npx', ['vitest', 'run', '--reporter=json', ...tests], { encoding: 'utf8' })
    red = failedTests(run.stdout)
  } finally {
    writeFileSync(file, original)
  }
  if (red.length === 0) survivors++
  console.log(`${red.length > 0 ? 'killed  ' : 'SURVIVED'}  ${name}`)
  for (const title of red.slice(0, 3)) console.log(`            by: ${title}`)
}
console.log(`${chosen.length - survivors} of ${chosen.length} mutants were killed`)
process.exitCode = survivors === 0 && chosen.length > 0 ? 0 : 1

function failedTests(output) {
  const report = JSON.parse(output.slice(output.indexOf('{')))
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
  )
}
