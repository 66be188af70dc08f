// What `npm test` checks before it runs the tests: types, style, directions of imports, what nothing uses. The checks
// run beside each other; what one of them reports stands under its name, with the time that it took.
//
//   node test/checks.mjs
import { spawn } from 'node:child_process'
import * as path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const checks = {
  types: ['npm', 'run', '--silent', 'typecheck'],
  style: ['npm', 'run', '--silent', 'lint'],
  imports: ['npm', 'run', '--silent', 'check:imports'],
  unused: ['npm', 'run', '--silent', 'check:unused'],
}

function run(name, [command, ...args]) {
  const startMs = performance.now()
  return new Promise((resolve, reject) => {
    const output = []
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (bytes) => output.push(bytes))
    child.stderr.on('data', (bytes) => output.push(bytes))
    child.on('error', reject)
    child.on('close', (code) => {
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
      console.log(`${name.padEnd(8)} ${code === 0 ? 'ok' : 'FAILED'} in ${seconds} s`)
      if (code !== 0) console.log(Buffer.concat(output).toString())
      resolve(code === 0)
    })
  })
}

const passed = await Promise.all(Object.entries(checks).map(([name, command]) => run(name, command)))
process.exitCode = passed.every(Boolean) ? 0 : 1
