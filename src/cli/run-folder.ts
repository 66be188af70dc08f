import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { outputFailure } from './failure.js'

/** The folder that a run's log is in: the caller's, or a temporary one that is removed at the end. */
export class RunFolder {
  readonly path: string
  readonly temporary: boolean

  /** `flag` first, then `TIDEMARK_DIR`, then a temporary folder. @throws CliFailure when that can't be made. */
  static choose(flag: string | undefined, environment: NodeJS.ProcessEnv = process.env): RunFolder {
    const chosen = flag ?? (environment['TIDEMARK_DIR'] || undefined)
    if (chosen !== undefined) {
      makeFolder(path.resolve(chosen))
      return new RunFolder(chosen, false)
    }
    try {
      return new RunFolder(mkdtempSync(path.join(tmpdir(), 'tidemark-')), true)
    } catch (error) {
      throw outputFailure('create a temporary folder in', tmpdir(), error)
    }
  }

  private constructor(folder: string, temporary: boolean) {
    this.path = folder
    this.temporary = temporary
  }

  /** Removes a temporary folder; leaves the caller's alone. */
  release(): void {
    if (this.temporary) rmSync(this.path, { recursive: true, force: true })
  }
}

/**
 * Makes a folder and those above it, from the top down. `mkdirSync` with `recursive` goes round for ever where a parent
 * is there but can't be written into and says ENOENT, as in /proc.
 */
function makeFolder(folder: string): void {
  const above = path.dirname(folder)
  if (above !== folder && !isThere(above)) makeFolder(above)
  try {
    mkdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw outputFailure('create', folder, error)
  }
}

function isThere(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false }) !== undefined
}
