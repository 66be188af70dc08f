import { symlinkSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'
import { describe, expect, it } from 'vitest'
import { root, runScript } from '../support/run-script.js'
import { temporaryDirectory } from '../support/temporary.js'

const packages = {
  '': `EnginePool.open({ dir: './pool' })`,
  log: `DurableLog.open({ dir: './log' })`,
  jobs: `JobController.open({ dir: './jobs' })`,
  factors: `DurableFactorEngine.open({ dir: './factors' })`,
}

async function bundle(format: 'es' | 'cjs', entry: string, call: string): Promise<string> {
  const dir = temporaryDirectory()
  const program = path.join(dir, 'program.mjs')
  // What tidemark depends on is installed beside the bundle, so that only its own files are missing.
  symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'))
  const index = path.join(root, 'dist/src', entry, 'index.js')
  writeFileSync(
    program,
    `import { ${call.split('.')[0]} } from ${JSON.stringify(index)}
     process.chdir(${JSON.stringify(dir)})
     ${call}.then(() => console.log('opened'), (error) => console.log(error.code, error.message))`,
  )
  await build({
    configFile: false,
    logLevel: 'silent',
    root: dir,
    ssr: { noExternal: true },
    build: {
      ssr: program,
      outDir: path.join(dir, 'out'),
      rollupOptions: { output: { format, entryFileNames: `bundle.${format === 'es' ? 'mjs' : 'cjs'}` } },
    },
  })
  return path.join(dir, 'out', `bundle.${format === 'es' ? 'mjs' : 'cjs'}`)
}

describe('a program that was bundled with tidemark', () => {
  for (const [entry, call] of Object.entries(packages)) {
    for (const format of ['es', 'cjs'] as const) {
      it(`as ${format} fails at ${call.split('(')[0]} with a code, and says to keep tidemark external`, async () => {
        const file = await bundle(format, entry, call)
        const { stdout, stderr } = await runScript(
          `await import(${JSON.stringify(pathToFileURL(file).href)})`,
        )
        expect(stderr).toBe('')
        expect(stdout).toMatch(
          /^TIDEMARK_FILES_MISSING tidemark can't find .*workers\/[\w/]+\.js\. .* keep tidemark external/,
        )
      })
    }
  }
})
