import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const common = {
  // The built modules are loaded by Node itself, as an embedder's are: what vitest would make of them is slower, and not what ships.
  server: { deps: { external: [/\/dist\/(src|workers)\//] as RegExp[] } },
  pool: 'forks',
  env: { TIDEMARK_ASSERTIONS: 'all' },
  testTimeout: 120_000,
  hookTimeout: 60_000,
} as const

// Node loads what was built by itself: to load all of it through the test runner takes eight seconds of processor time in each
// process, and Node half a second. Only the runner can put something else in the place of a module.
const builtByNode = { deps: { external: [/\/dist\/(src|workers)\//] } }
const mocking = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules'))
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => readFileSync(file, 'utf8').includes('vi.mock('))

const ownProcess = ['test/unit/{jobs,factors}/**/*.test.ts']

export default defineConfig({
  test: {
    maxWorkers: 2,
    reporters: ['default'],
    projects: [
      // Unit tests share two processes: a new one for each file took a third of their processor time. Those of jobs and factors
      // clean up in hooks of modules that they share, which run in the first file alone where modules are not loaded anew.
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: [...ownProcess, ...mocking],
          isolate: false,
          server: builtByNode,
        },
      },
      {
        test: {
          ...common,
          name: 'whole',
          include: ['test/{integration,conformance,faults}/**/*.test.ts', ...ownProcess],
          exclude: mocking,
          server: builtByNode,
        },
      },
      { test: { ...common, name: 'mocking', include: mocking } },
    ],
  },
})
