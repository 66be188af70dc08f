import { FactorLogFold } from './factor-log-fold.js'
import { JobLogFold } from './job-log-fold.js'
import type { LogFold, StoreKind } from './log-fold.js'
import { PoolLogFold } from './pool-log-fold.js'

const folds: Readonly<Record<StoreKind, () => LogFold>> = {
  pool: () => new PoolLogFold(),
  jobs: () => new JobLogFold(),
  factors: () => new FactorLogFold(),
}

export function foldOf(kind: StoreKind): LogFold {
  return folds[kind]()
}
