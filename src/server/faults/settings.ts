import { didYouMean, unknownFieldOf } from '../../base/known-fields.js'
import { shown } from '../../base/shown.js'
import { ServerError } from '../errors.js'

/** What a venue can do wrong on purpose. */
const faultKinds = ['lost', 'late', 'disconnect', '429', '503', 'gap'] as const
/** The name of something that can go wrong on purpose: `lost`, `late`, `disconnect`, `429`, `503` or `gap`. */
export type FaultKind = (typeof faultKinds)[number]

/** Of them, those that befall a request: at most one does. */
export const requestFaults = ['429', '503', 'lost', 'late', 'disconnect'] as const satisfies FaultKind[]

/** How a venue misbehaves on purpose, for those who test what trades on it. */
export interface Misbehaviour {
  /**
   * How long a request takes on its ways there and back together, and a message of a stream on its own, beside what it takes anyway:
   * milliseconds by percentile, such as `{ p50: 5, p99: 80 }` or `'p50=5,p99=80'`. Between two percentiles it grows evenly, below the first
   * from 0 on, and above the last it stays.
   */
  readonly latency?: Readonly<Record<string, number>> | string | undefined
  /**
   * How often what goes wrong, each from 0 to 1, such as `{ lost: 0.01 }` or `'lost=0.01,429=0.02'`:
   *
   * - `lost`: the request is executed, and its answer never comes;
   * - `late`: the answer comes `lateMs` later;
   * - `disconnect`: the connection ends, before or after the request is executed, or in place of a message of a stream;
   * - `429`, `503`: the request is refused, and not executed;
   * - `gap`: a message of a stream is left out.
   */
  readonly faults?: Readonly<Partial<Record<FaultKind, number>>> | string | undefined
  /** Milliseconds. Default 2,000. */
  readonly lateMs?: number | undefined
  /** The same seed makes the same things go wrong with the n-th request of an account, and with the n-th message of the n-th connection. Default 1. */
  readonly seed?: number | undefined
  /** Accounts whose requests nothing goes wrong with. Default: those that the options of the server named. */
  readonly sparedAccounts?: readonly number[] | undefined
}

export interface FaultSettings {
  /** Ascending by part of 100, with milliseconds. */
  readonly latency: readonly (readonly [percent: number, ms: number])[]
  readonly rates: Readonly<Record<FaultKind, number>>
  readonly lateMs: number
  readonly seed: number
  readonly sparedAccounts: ReadonlySet<number>
}

const known: ReadonlySet<string> = new Set<keyof Misbehaviour>([
  'latency',
  'faults',
  'lateMs',
  'seed',
  'sparedAccounts',
])
/** An hour: the longest that anything takes. */
const delayMsMax = 3_600_000

/**
 * Checks what is to go wrong on purpose, and fills in what is not stated; `spared` are the accounts that are spared then.
 *
 * @throws ServerError `TIDEMARK_SERVER_FAULTS` that says what is allowed.
 */
export function resolveMisbehaviour(
  misbehaviour: Misbehaviour,
  spared: readonly number[] = [],
): FaultSettings {
  if (typeof misbehaviour !== 'object' || misbehaviour === null)
    throw badFaults('misbehaviour', misbehaviour, 'an object')
  const unknown = unknownFieldOf(misbehaviour, known)
  if (unknown !== undefined)
    throw new ServerError('TIDEMARK_SERVER_FAULTS', `There is no ${unknown}.${didYouMean(unknown, known)}`, {
      field: unknown,
    })
  const { latency = {}, faults = {}, lateMs = 2000, seed = 1, sparedAccounts = spared } = misbehaviour
  if (!(Number.isInteger(lateMs) && lateMs >= 0 && lateMs <= delayMsMax))
    throw badFaults('lateMs', lateMs, `a whole number from 0 to ${delayMsMax}`)
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw badFaults('seed', seed, 'a whole number from 0 to 2^32-1')
  if (!Array.isArray(sparedAccounts) || !sparedAccounts.every(Number.isSafeInteger))
    throw badFaults('sparedAccounts', sparedAccounts, 'a list of accounts')
  return {
    latency: readLatency(latency),
    rates: readRates(faults),
    lateMs,
    seed,
    sparedAccounts: new Set(sparedAccounts),
  }
}

function readLatency(latency: NonNullable<Misbehaviour['latency']>): FaultSettings['latency'] {
  const points = pairsOf('latency', latency, 'such as p50=5,p99=80').map(([name, ms]) => {
    const percent = /^p(\d{1,2}(?:\.\d{1,6})?|100)$/.exec(name)?.[1]
    if (percent === undefined)
      throw badFaults('latency', name, 'made of percentiles from p0 to p100, such as p50 or p99.9')
    if (!(ms >= 0 && ms <= delayMsMax)) throw badFaults(name, ms, `milliseconds from 0 to ${delayMsMax}`)
    return [Number(percent), ms] as const
  })
  points.sort(([a], [b]) => a - b)
  for (const [i, [percent, ms]] of points.entries()) {
    const [before, least] = points[i - 1] ?? [-1, 0]
    if (before === percent) throw badFaults(`p${percent}`, ms, 'stated once')
    if (ms < least) throw badFaults(`p${percent}`, ms, `at least p${before}, which is ${least}`)
  }
  return points
}

function readRates(faults: NonNullable<Misbehaviour['faults']>): FaultSettings['rates'] {
  const rates = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>
  for (const [name, rate] of pairsOf('faults', faults, 'such as lost=0.01,429=0.02')) {
    if (!(faultKinds as readonly string[]).includes(name))
      throw badFaults('faults', name, `made of ${faultKinds.join(', ')}`)
    if (!(rate >= 0 && rate <= 1)) throw badFaults(name, rate, 'a rate from 0 to 1')
    rates[name as FaultKind] = rate
  }
  if (requestFaults.reduce((sum, kind) => sum + rates[kind], 0) > 1)
    throw badFaults(
      'faults',
      faults,
      `rates of which those of ${requestFaults.join(', ')} are at most 1 together`,
    )
  if (rates.gap + rates.disconnect > 1)
    throw badFaults('faults', faults, 'rates of which those of gap and disconnect are at most 1 together')
  return rates
}

function pairsOf(name: string, given: unknown, example: string): [string, number][] {
  if (typeof given === 'object' && given !== null)
    return Object.entries(given).filter((pair): pair is [string, number] => {
      if (pair[1] !== undefined && typeof pair[1] !== 'number') throw badFaults(pair[0], pair[1], 'a number')
      return pair[1] !== undefined
    })
  if (typeof given !== 'string') throw badFaults(name, given, example)
  const pairs = given.split(',').map((part) => {
    const [, key, value] = /^\s*([a-z0-9.]+)=(\d+(?:\.\d+)?)\s*$/.exec(part) ?? []
    if (key === undefined) throw badFaults(name, given, example)
    return [key, Number(value)] as [string, number]
  })
  if (new Set(pairs.map(([key]) => key)).size < pairs.length)
    throw badFaults(name, given, 'without anything stated twice')
  return pairs
}

function badFaults(name: string, value: unknown, allowed: string): ServerError {
  return new ServerError('TIDEMARK_SERVER_FAULTS', `${name} is ${shown(value)}; it must be ${allowed}.`, {
    name,
    value,
  })
}
