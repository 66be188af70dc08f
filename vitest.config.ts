import { defineConfig } from 'vitest/config'

const common = {
  // Node itself loads what was built, as in an embedder's process: the test runner takes eight seconds of processor time to load all
  // of it, and Node half a second. So `vi.mock` can't replace a built module, nor what one imports.
  server: { deps: { external: [/\/dist\/(src|workers)\//] as RegExp[] } },
  pool: 'forks',
  env: { TIDEMARK_ASSERTIONS: 'all' },
  testTimeout: 120_000,
  hookTimeout: 60_000,
} as const

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
          exclude: ownProcess,
          isolate: false,
        },
      },
      {
        test: {
          ...common,
          name: 'whole',
          include: ['test/{integration,conformance,faults}/**/*.test.ts'],
          isolate: false,
        },
      },
      {
        test: {
          ...common,
          name: 'own process',
          include: ownProcess,
        },
      },
    ],
  },
})
