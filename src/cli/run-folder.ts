import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { makeFolder, NodeDisk } from '../log/index.js'
import { outputFailure } from './failure.js'

/** The folder that a run's log is in: the caller's, or a temporary one that is removed at the end. */
export class RunFolder {
  readonly path: string
  readonly temporary: boolean

  /** `flag` first, then `TIDEMARK_DIR`, then a temporary folder. @throws CliFailure or LogError when it can't be created. */
  static choose(flag: string | undefined, environment: NodeJS.ProcessEnv = process.env): RunFolder {
    const chosen = flag ?? (environment['TIDEMARK_DIR'] || undefined)
    if (chosen !== undefined) {
      makeFolder(new NodeDisk(), path.resolve(chosen))
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
