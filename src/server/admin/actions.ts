import * as path from 'node:path'
import type {
  AdjustCommand,
  Asset,
  DepositCommand,
  Ledger,
  LimitsCommand,
  TransferCommand,
  WithdrawCommand,
} from '../../ledger/index.js'
import type { Command } from '../../matching/index.js'
import { PoolError } from '../../pool/index.js'
import type { FaultInjector } from '../faults/injector.js'
import type { Misbehaviour } from '../faults/settings.js'
import type { Venue } from '../venue/venue.js'
import type { ActionFields } from './entry.js'

/** Something that an administrator can do. */
export interface AdminAction {
  /** Its path below `/admin/v1`. */
  readonly name: string
  /** Fields that it takes; those of a command of the pool are checked there. */
  readonly fields?: ReadonlySet<string>
  readonly run: (to: Administered, fields: ActionFields) => Promise<object>
}

/** What is administered. */
interface Administered {
  readonly venue: Venue
  readonly faults: FaultInjector
}

/** What an administrator can ask, and changes nothing. */
export interface AdminQuestion {
  readonly name: string
  readonly run: (venue: Venue) => object
}

export const adminQuestions: readonly AdminQuestion[] = [
  { name: 'instruments', run: ({ pool }) => pool.instruments() },
  { name: 'blocked-accounts', run: ({ pool }) => pool.blockedAccounts() },
]

/** An action that is a command: what it takes, and what of it is malformed, is for the pool to say. */
function command(name: string, type: Command['type'], fixed: object = {}): AdminAction {
  return {
    name,
    run: async ({ venue }, fields) => {
      for (const own of ['type', ...Object.keys(fixed)])
        if (Object.hasOwn(fields, own)) throw unknownField(name, own)
      return execute(venue, { ...fields, ...fixed, type } as unknown as Command)
    },
  }
}

export const adminActions: readonly AdminAction[] = [
  command('add-instrument', 'instrument'),
  command('change-instrument', 'instrument-change'),
  command('phase', 'phase'),
  command('halt', 'phase', { phase: 'halted' }),
  { name: 'uncross', fields: new Set(['symbol']), run: uncross },
  command('block', 'block'),
  command('unblock', 'unblock'),
  command('bust', 'bust'),
  command('cancel-all', 'cancel-all'),
  {
    name: 'checkpoint',
    fields: new Set(),
    run: async ({ venue: { pool } }) => {
      const { lsn, books, bytes, elapsedMs } = await pool.checkpoint()
      return { lsn, books, bytes, elapsedMs }
    },
  },
  { name: 'backup', fields: new Set(['dir']), run: backup },
  { name: 'misbehave', run: misbehave },
  ofLedger('deposit', (ledger, fields) => ledger.deposit(fields as unknown as DepositCommand)),
  ofLedger('withdraw', (ledger, fields) => ledger.withdraw(fields as unknown as WithdrawCommand)),
  ofLedger('transfer', (ledger, fields) => ledger.transfer(fields as unknown as TransferCommand)),
  ofLedger('adjust', (ledger, fields) => ledger.adjust(fields as unknown as AdjustCommand)),
  ofLedger('add-assets', async (ledger, { assets, ...rest }) => {
    const [other] = Object.keys(rest)
    if (other !== undefined) throw unknownField('add-assets', other)
    await ledger.addAssets(assets as Asset[])
    return { assets: ledger.assets() }
  }),
  ofLedger('set-limits', (ledger, fields) => ledger.setLimits(fields as unknown as LimitsCommand)),
]

/** Fields that are texts: a number of JSON is rounded when it is read, before anybody can see what was sent. */
const amounts = ['amount', 'orderQuantity', 'orderNotional', 'position', 'credit'] as const

/** A command of the venue's ledger: what it takes, and what of it is malformed, is for the ledger to say. */
function ofLedger(name: string, run: (ledger: Ledger, fields: ActionFields) => Promise<object>): AdminAction {
  return {
    name,
    run: async ({ venue: { ledger } }, fields) => {
      if (ledger === undefined)
        throw new PoolError('TIDEMARK_BAD_ARGUMENT', `${name} needs a ledger: this venue keeps no accounts.`)
      for (const amount of amounts)
        if (typeof fields[amount] === 'number')
          throw badField(amount, fields[amount], 'a text such as "12.50"')
      return run(ledger, fields)
    },
  }
}

/** Ends a call: trades what meets at one price, and continues in continuous trading. */
async function uncross({ venue }: Administered, { symbol }: ActionFields): Promise<object> {
  if (typeof symbol !== 'string') throw badField('symbol', symbol, 'a symbol')
  const { phase } = await venue.pool.indicative(symbol)
  if (phase === 'continuous' || phase === 'closed')
    throw badField('symbol', symbol, `one in a call or halted; it is ${phase}`)
  return execute(venue, { type: 'phase', symbol, phase: 'continuous' })
}

/** The folder is one of the machine of the server. */
async function backup({ venue: { pool } }: Administered, { dir }: ActionFields): Promise<object> {
  if (typeof dir !== 'string' || !path.isAbsolute(dir)) throw badField('dir', dir, 'an absolute path')
  return pool.backup(dir)
}

/** Lets things go wrong on purpose, or, without any field, nothing any more. What goes wrong now is the answer. */
async function misbehave({ faults }: Administered, fields: ActionFields): Promise<object> {
  faults.set(fields as Misbehaviour)
  const { settings } = faults
  if (!settings) return {}
  const { latency, rates, lateMs, seed, sparedAccounts } = settings
  return {
    latency: Object.fromEntries(latency.map(([percent, ms]) => [`p${percent}`, ms])),
    faults: rates,
    lateMs,
    seed,
    sparedAccounts: [...sparedAccounts],
  }
}

/** What came of a command, in figures: its events are in the streams. The next request finds them. */
async function execute(venue: Venue, sent: Command): Promise<object> {
  const { lsn, status, code, events } = await venue.pool.submit(sent)
  const count = (name: string) => events.filter(({ event }) => event === name).length
  await venue.caughtUp(events.at(-1)?.lsn ?? 0)
  return {
    lsn,
    status,
    ...(code !== undefined && { code }),
    events: events.length,
    trades: count('trade'),
    cancelled: count('cancelled'),
  }
}

export function unknownField(action: string, field: string): PoolError {
  return new PoolError('TIDEMARK_BAD_ARGUMENT', `${action} has no field ${field}.`, { field })
}

function badField(field: string, value: unknown, allowed: string): PoolError {
  return new PoolError('TIDEMARK_BAD_ARGUMENT', `${field} must be ${allowed}.`, { field, value })
}
