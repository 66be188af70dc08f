// What a pool takes and gives, by what it is of.

export type { Command } from '../matching/index.js'
export type * from './types/answers.js'
export type * from './types/checkpoints.js'
export type * from './types/events.js'
export type * from './types/instruments.js'
export type * from './types/options.js'
export type * from './types/reports.js'
export type * from './types/stats.js'
export type * from './types/subscriptions.js'
