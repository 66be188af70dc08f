import { defineConfig } from 'vitest/config'

const common = {
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
          include: ['test/{integration,conformance,faults}/**/*.test.ts', ...ownProcess],
        },
      },
    ],
  },
})
