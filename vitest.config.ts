import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/{unit,integration,conformance,faults}/**/*.test.ts'],
    pool: 'forks',
    env: { TIDEMARK_ASSERTIONS: 'all' },
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
