import { LedgerError } from '#tidemark/ledger/index.js'
import { commandKindNames, type InstrumentDefinition } from '#tidemark/matching/index.js'
import { LedgerVenue } from '../../../support/ledger-venue.js'
import type { NaiveRates } from '../../../support/naive-ledger.js'
import type { NaiveOrderLimits } from '../../../support/naive-limits.js'
import { encodeRandomCommand, instruments, Random } from '../../matching/support/random-commands.js'

const definitions: readonly InstrumentDefinition[] = instruments.map((definition) => ({
  ...definition,
  details: { baseAsset: 'X', quoteAsset: 'Y' },
}))
const accounts = [1, 2, 3, 4, 0xffffffff]

/** How often commands of each type passed, and how often each refusal came. */
export type LedgerCounts = Map<string, number>

/** Random commands of every kind through a ledger and a naive one, compared after each record. */
export function randomLedgerRun(seed: number, count: number): LedgerCounts {
  const venue = new LedgerVenue(definitions, [
    { id: 'X', scale: 1 },
    { id: 'Y', scale: 2 },
  ])
  const random = new Random(seed)
  const counts: LedgerCounts = new Map()
  const note = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const account of accounts) {
    // One trades on credit alone.
    const pay = account === 2 ? venue.setCredit.bind(venue) : venue.deposit.bind(venue)
    pay(account, 'X', 5_000n)
    pay(account, 'Y', 500_000n)
  }
  venue.settle()
  const words = new Int32Array(512)
  for (let i = 0; i < count; i++) {
    encodeRandomCommand(words, random, i)
    // A pool refuses what names no instrument of its own.
    if (!definitions.some(({ instrumentId }) => instrumentId === words[1])) continue
    const type = commandKindNames[words[0]! & 0xff]!
    try {
      try {
        venue.execute(words, 0)
        note(type)
      } catch (error) {
        if (!(error instanceof LedgerError)) throw error
        note(error.code)
      }
      if (random.below(100) < 2)
        venue.deposit(random.pick(accounts), random.pick(['X', 'Y']), BigInt(1 + random.below(5000)))
      if (random.below(1000) < 8) {
        // What is on its way would be accepted by other fees than it was held for: the ledger sees to that with lists.
        venue.settle()
        venue.setFees(...randomFees(random))
        note('fees')
        venue.settle()
      }
      if (random.below(1000) < 8) {
        // Commands are held to limits that are durable.
        venue.settle()
        venue.setLimits(random.pick(definitions).instrumentId, ...randomLimits(random))
        const credit = random.pick([0n, 1n, 2_000n, 300_000n])
        venue.setCredit(random.pick(accounts), random.pick(['X', 'Y']), credit)
        venue.settle()
      }
      if (i === Math.floor(count / 2)) venue.takeSnapshot()
      if (random.below(100) < 60) venue.settle(1 + random.below(5))
      if (i % 97 === 0) {
        venue.settle()
        if (venue.state.cells.balance.some((units) => units < 0n)) note('below zero')
      }
    } catch (error) {
      throw new Error(`seed ${seed}, command ${i}, ${type}: ${(error as Error).message}`, { cause: error })
    }
  }
  venue.settle()
  venue.compareReplayed()
  return counts
}

/** Of one account or of all, from none to such that most orders are within. */
function randomLimits(random: Random): [number | undefined, NaiveOrderLimits] {
  const distance = random.pick([0, 99, 100, 250, 1000, 1_000_000])
  const position = random.pick([0n, 5n, 20n, 100n])
  const limits = {
    ...(random.chance(70) && { distance }),
    ...(random.chance(50) && { position }),
  }
  return [random.chance(40) ? undefined : random.pick(accounts), limits]
}

/** From nothing to all of it, rebates and caps among them. */
function randomFees(random: Random): [number | undefined, number | undefined, NaiveRates] {
  const rate = () => random.pick([0n, 1n, 10_000n, 123_457n, 5_000_000n, 100_000_000n])
  return [
    random.chance(50) ? undefined : random.pick(definitions).instrumentId,
    random.chance(50) ? undefined : random.pick(accounts),
    {
      maker: random.chance(30) ? -rate() : rate(),
      taker: rate(),
      auction: rate(),
      caps: new Map(random.chance(30) ? [[random.pick(['X', 'Y']), BigInt(1 + random.below(50))]] : []),
    },
  ]
}
