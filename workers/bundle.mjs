// Makes one file of each thread that every pool and log starts: a thread that loads its modules one by one spends more than half of
// its start on that. A thread that loads a file of an embedder (a job, a factor, the engine of a replicated log) isn't bundled: that
// file may import tidemark, and there must be one of each class.
//
//   node workers/bundle.mjs [--no-maps]
import { parseArgs } from 'node:util'
import { build } from 'rolldown'

const { values } = parseArgs({ options: { 'no-maps': { type: 'boolean' } } })

await build(
  ['flusher', 'preallocator', 'shard', 'snapshot'].map((name) => ({
    input: `workers/${name}.ts`,
    cwd: `${import.meta.dirname}/..`,
    platform: 'node',
    external: [/^[^./]/],
    resolve: { extensionAlias: { '.js': ['.ts'] } },
    tsconfig: false,
    output: {
      file: `dist/workers/${name}.js`,
      format: 'esm',
      sourcemap: !values['no-maps'],
      comments: false,
    },
  })),
)
