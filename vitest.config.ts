import { defineConfig } from 'vitest/config'

const common = {
  // Node itself loads what was built, as in an embedder's process: the test runner takes eight seconds of processor time to load all
  // of it, and Node half a second. So `vi.mock` can't replace a built module, nor what one imports.
  server: { deps: { external: [/\/dist\/(chunks|src|workers)\//] as RegExp[] } },
  pool: 'forks',
  // Tests share two processes: a new one for each file took a third of the processor time. So a module that several files import
  // runs once: what it has to clean up, it gives to `onTestFinished`.
  isolate: false,
  env: { TIDEMARK_ASSERTIONS: 'all' },
  testTimeout: 120_000,
  hookTimeout: 60_000,
  // A machine that has much else to do comes to it later.
  expect: { poll: { timeout: 60_000, interval: 20 } },
} as const

export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: 'test/support/no-leftovers.ts',
    reporters: ['default'],
    projects: [
      { test: { ...common, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: { ...common, name: 'whole', include: ['test/{integration,conformance,faults}/**/*.test.ts'] },
      },
    ],
  },
})
