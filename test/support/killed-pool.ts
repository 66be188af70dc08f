import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Acknowledgement } from './acknowledged.js'
import { Random } from './random.js'
import { root } from './run-script.js'

/**
 * Runs a child that submits and acknowledges, kills it after a random number of acknowledgements, and returns them. `before` is
 * called just before the kill.
 */
export async function runAndKill(
  dir: string,
  seed: number,
  firstOrder: number,
  before?: () => void,
): Promise<Acknowledgement[]> {
  const random = new Random(seed)
  const inFlight = [1, 20, 200][random.int(3)]!
  const child = spawn(process.execPath, [`${root}/test/support/kill-child.mjs`], {
    cwd: root,
    env: {
      ...process.env,
      DIR: dir,
      SEED: String(seed),
      SHARDS: String(1 + random.int(2)),
      IN_FLIGHT: String(inFlight),
      FIRST_ORDER: String(firstOrder),
    },
    // A child whose disk is gone fails by itself, and says so.
    stdio: ['ignore', 'pipe', before ? 'ignore' : 'inherit'],
  })
  // Small segments make some hundred commands a rotation.
  let left = random.int(inFlight === 1 ? 150 : 900)
  const timer = random.int(5)
  let output = ''
  let isEnding = false
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    left -= chunk.split('\n').length - 1
    if (left > 0 || isEnding) return
    isEnding = true
    setTimeout(() => {
      try {
        before?.()
      } finally {
        child.kill('SIGKILL')
      }
    }, timer)
  })
  await once(child, 'close')
  const lines = output.slice(0, output.lastIndexOf('\n')).split('\n').slice(1)
  return lines.map((line) => JSON.parse(line))
}
