// Makes what ships of what the compiler made: a program that loads its modules one by one spends most of its start on that.
//
// - `dist/src`, `dist/workers`: each module as it was, but a line or two: it takes what it exports from `dist/chunks`, where the code
//   of a folder of `src` stands in one file. So there is one of each class, by whichever path a program, a thread or a test comes.
// - `dist/workers/bundled`: the threads that every pool and log starts, each one file with all that it needs and nothing more. A thread
//   that loads a file of an embedder (a job, a factor, the engine of a replicated log) can't be one of them: that file may import tidemark.
//
//   node workers/bundle.mjs [--no-maps]
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'rolldown'

const root = path.resolve(import.meta.dirname, '..')
const compiled = path.join(root, 'dist/compiled')

const alone = ['flusher', 'preallocator', 'shard', 'snapshot']

/** The folders of `src` with a file each in `dist/chunks`, from the bottom up: each takes with it what it imports and no file before it has. */
const chunks = [
  'base',
  'log',
  'matching',
  'pool',
  'ledger',
  'market-data',
  'factors',
  'jobs',
  'archive',
  'store',
  'replication',
  'standby',
  'client',
  'server',
]

/**
 * Gives a bundler what the compiler made, with its source map, so that a place in what ships is one in a file of TypeScript. Each
 * module's `import.meta.url` names where the module itself lies in `dist`, seen from `folder`, where its code will stand. Where
 * there is none, as in a program that was bundled into CommonJS, there is none here either.
 */
function ownModules(folder) {
  return {
    name: 'own-modules',
    load(id) {
      const name = path.relative(compiled, id)
      if (name.startsWith('..') || !path.isAbsolute(id)) return null
      const place = JSON.stringify(path.posix.relative(folder, name))
      const code = readFileSync(id, 'utf8').replaceAll(
        'import.meta.url',
        `(import.meta.url && new URL(${place}, import.meta.url).href)`,
      )
      return existsSync(`${id}.map`) ? { code, map: readFileSync(`${id}.map`, 'utf8') } : { code }
    },
  }
}

/** Makes all of it anew. */
export async function bundle({ maps = true } = {}) {
  const common = { cwd: root, platform: 'node', external: [/^[^./]/], tsconfig: false }
  const output = { format: 'esm', sourcemap: maps, comments: false, minifyInternalExports: false }
  const modules = readdirSync(compiled, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.slice(0, -'.js'.length).split(path.sep).join('/'))
    // What the compiler made of a file that was removed since stays there.
    .filter((name) => existsSync(path.join(root, `${name}.ts`)))
  const [{ output: built }] = await build([
    {
      ...common,
      input: Object.fromEntries(modules.map((name) => [name, path.join(compiled, `${name}.js`)])),
      preserveEntrySignatures: 'strict',
      plugins: [ownModules('chunks')],
      output: {
        ...output,
        dir: 'dist',
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name].js',
        codeSplitting: {
          groups: chunks.map((folder, index) => ({
            name: folder,
            test: (id) => path.relative(compiled, id).startsWith(path.join('src', folder, path.sep)),
            priority: chunks.length - index,
          })),
        },
      },
    },
    ...alone.map((name) => ({
      ...common,
      input: path.join(compiled, `workers/${name}.js`),
      plugins: [ownModules('workers/bundled')],
      output: { ...output, file: `dist/workers/bundled/${name}.js` },
    })),
  ])
  // What an earlier build left.
  const names = new Set(built.flatMap(({ fileName }) => [fileName, `${fileName}.map`]))
  for (const name of readdirSync(path.join(root, 'dist/chunks'))) {
    if (!names.has(`chunks/${name}`)) rmSync(path.join(root, 'dist/chunks', name))
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { 'no-maps': { type: 'boolean' } } })
  await bundle({ maps: !values['no-maps'] })
}
