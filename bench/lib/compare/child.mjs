// One case of bench/compare.mjs in a process of its own, on the build that is named; prints one line of JSON: nanoseconds,
// milliseconds or bytes, less is better.
//
//   node bench/lib/compare/child.mjs CASE BUILD FOLDER '{"commands":10000}'
import { mkdtempSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import { watchThreads } from './thread-times.mjs'

const [name, build, parent, parameters] = process.argv.slice(2)
watchThreads()
const modules = {
  throughput: './throughput-cases.mjs',
  batches: './throughput-cases.mjs',
  closed: './latency-cases.mjs',
  arrivals: './latency-cases.mjs',
  bareArrivals: './latency-cases.mjs',
  rotations: './latency-cases.mjs',
  records: './other-cases.mjs',
  jobs: './other-cases.mjs',
  plainjob: './other-cases.mjs',
  opening: './other-cases.mjs',
  book: './other-cases.mjs',
}
const dir = mkdtempSync(path.join(parent, 'tidemark-compare-'))
// The tape and its player are this build's for every build, because another commit may keep its own elsewhere.
const load = (inside) => import(pathToFileURL(path.join(build, inside)).href)
try {
  const { [name]: run } = await import(modules[name])
  process.stdout.write(`${JSON.stringify(await run({ dir, build, load, ...JSON.parse(parameters) }))}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
