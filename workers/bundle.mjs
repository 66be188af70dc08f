// Makes one file of each thread that every pool and log starts: a thread that loads its modules one by one spends more than half of
// its start on that. A thread that loads a file of an embedder (a job, a factor, the engine of a replicated log) isn't bundled: that
// file may import tidemark, and there must be one of each class.
//
//   node workers/bundle.mjs [--no-maps]
import { existsSync, readFileSync } from 'node:fs'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'rolldown'

const names = ['flusher', 'preallocator', 'shard', 'snapshot']

/** What the compiler made, with its source map: a place in a bundle is one in a file of TypeScript. */
const compiled = {
  name: 'compiled',
  load(id) {
    if (!path.isAbsolute(id) || !existsSync(`${id}.map`)) return null
    return { code: readFileSync(id, 'utf8'), map: readFileSync(`${id}.map`, 'utf8') }
  },
}

/** Makes the bundles anew, of what the compiler made. */
export async function bundleThreads({ maps = true } = {}) {
  await build(
    names.map((name) => ({
      input: `dist/workers/${name}.js`,
      cwd: path.resolve(import.meta.dirname, '..'),
      platform: 'node',
      external: [/^[^./]/],
      tsconfig: false,
      plugins: [compiled],
      output: {
        file: `dist/workers/bundled/${name}.js`,
        format: 'esm',
        sourcemap: maps,
        comments: false,
      },
    })),
  )
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { 'no-maps': { type: 'boolean' } } })
  await bundleThreads({ maps: !values['no-maps'] })
}
