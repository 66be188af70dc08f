import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'

/** Gives a run of the tests a temporary folder of its own, in which nothing may be left when they are over. */
export default function ownTemporaryFolder(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'tidemark-run-'))
  chmodSync(folder, 0o755) // some tests run commands as another user
  process.env['TMPDIR'] = folder
  return () => {
    const left = readdirSync(folder)
    rmSync(folder, { recursive: true, force: true })
    if (left.length === 0) return
    // What is thrown here is printed, and changes nothing of the outcome.
    process.exitCode = 1
    console.error(`The tests left in their temporary folder: ${left.join(', ')}`)
  }
}
