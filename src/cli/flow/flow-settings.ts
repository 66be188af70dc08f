import { limits } from '../../matching/index.js'

/** What decides a generated flow; the same settings always give the same commands. */
export interface FlowSettings {
  readonly seed: number
  readonly commands: number
  readonly symbols: number
  /** Accounts that orders are spread over. */
  readonly accounts: number
  /** Parts of the flow, relative to each other. */
  readonly mix: FlowMix
  /** How far from the middle new orders go, ticks; most go near. */
  readonly depthTicks: number
  /** How many orders a symbol's book is kept at, about. */
  readonly restingOrders: number
  /** Chance that a command moves its symbol's middle by a tick. */
  readonly drift: number
}

export interface FlowMix {
  readonly add: number
  readonly cancel: number
  readonly replace: number
  readonly ioc: number
  readonly market: number
  /** Changes of the phase: each symbol goes through its day, again and again, and some orders are for the open or the close. */
  readonly phases: number
  /** Orders that wait for the last price: stops, take-profits, trails. */
  readonly stops: number
  /** Lists of two or three orders. */
  readonly lists: number
  /** Market orders for an amount of the quote asset. */
  readonly amount: number
  /** Takers that are IOC, with a minimum quantity. */
  readonly minimum: number
  /** Orders that follow the best price of their side, or the middle. */
  readonly peg: number
}

export const flowDefaults: FlowSettings = {
  seed: 1,
  commands: 1_000_000,
  symbols: 8,
  accounts: 100,
  mix: {
    ...{ add: 47, cancel: 33, replace: 9, ioc: 8, market: 3 },
    ...{ amount: 0, minimum: 0, peg: 0, stops: 0, lists: 0, phases: 0 },
  },
  depthTicks: 60,
  restingOrders: 1000,
  drift: 0.02,
}

export const flowLimits = {
  maxSeed: Number.MAX_SAFE_INTEGER,
  maxCommands: 2 ** 40,
  maxSymbols: 10_000,
  maxAccounts: limits.maxAccount,
  maxDepthTicks: 100_000,
  maxRestingOrders: 1_000_000,
} as const

const parts = [
  'add',
  'cancel',
  'replace',
  'ioc',
  'market',
  'amount',
  'minimum',
  'peg',
  'stops',
  'lists',
  'phases',
] as const

/**
 * Reads a mix such as "add=50,cancel=40,ioc=10"; a part that is not named is 0. Undefined when it is no mix: an unknown
 * part, a weight that is no number from 0 up, or nothing to do at all.
 */
export function parseMix(text: string): FlowMix | undefined {
  const mix = {
    ...{ add: 0, cancel: 0, replace: 0, ioc: 0, market: 0 },
    ...{ amount: 0, minimum: 0, peg: 0, stops: 0, lists: 0, phases: 0 },
  }
  for (const item of text.split(',')) {
    const [name, weight, ...rest] = item.split('=').map((part) => part.trim())
    const part = parts.find((known) => known === name)
    const value = weight === undefined || weight === '' ? Number.NaN : Number(weight)
    if (!part || rest.length > 0 || !(value >= 0 && value <= 1e9)) return undefined
    mix[part] = value
  }
  return parts.some((part) => mix[part] > 0) ? mix : undefined
}

export function formatMix(mix: FlowMix): string {
  return parts
    .filter((part) => mix[part] > 0)
    .map((part) => `${part}=${mix[part]}`)
    .join(',')
}
