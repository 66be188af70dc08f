import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { onTestFinished } from 'vitest'

/** A fresh folder that is removed when the test is over. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'tidemark-test-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}
