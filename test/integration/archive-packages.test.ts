import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, runProgram } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

describe('the packages of the archive', () => {
  it('are asked for by name where they are not installed', async () => {
    const dir = temporaryDirectory()
    for (const folder of ['dist/chunks', 'dist/src']) {
      cpSync(path.join(root, folder), path.join(dir, folder), { recursive: true })
    }
    cpSync(path.join(root, 'package.json'), path.join(dir, 'package.json'))
    mkdirSync(path.join(dir, 'node_modules'))
    // All that is installed here but the packages that read and write Parquet.
    for (const name of readdirSync(path.join(root, 'node_modules'))) {
      if (name.startsWith('.') || name.startsWith('hyparquet')) continue
      symlinkSync(path.join(root, 'node_modules', name), path.join(dir, 'node_modules', name))
    }
    const program = path.join(dir, 'program.mjs')
    writeFileSync(
      program,
      `import { Archive } from './dist/src/archive/index.js'
       process.chdir(${JSON.stringify(dir)})
       await Archive.open({ dir: 'none' }).catch((error) => console.log(error.code, error.message))`,
    )
    const result = await runProgram(process.execPath, [program])
    expect(result.stdout).toBe(
      'TIDEMARK_ARCHIVE_PACKAGE_MISSING An archive needs the package hyparquet, which is not installed: npm install hyparquet-writer@0.17 hyparquet@1.31.5\n',
    )
  })
})
