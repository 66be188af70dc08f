import { expect } from 'vitest'
import { type DecodedEvent, decodeCommand } from '#tidemark/matching/index.js'
import { PairedBooks } from './paired-books.js'
import { encodeInstruments, encodeRandomCommand, instruments, Random } from './random-commands.js'

/** How many commands of each type there were, and how often each event came about, by its reason or code. */
export interface Counts {
  readonly commands: Map<string, number>
  readonly events: Map<string, number>
}

const commandsAState = 100
/** Runs that are made, at most, to find a short list of commands that fails. */
const shrinkRunsMax = 400

/**
 * Random commands through the fast book and the naive one, which must report the same, with an integrity check after each, and whole
 * states compared now and then.
 *
 * @throws Error that names the seed and the command; its message has the shortest list of commands found that fails as well.
 */
export function differentialRun(seed: number, count: number): Counts {
  const commands = randomCommands(seed, count)
  try {
    return play(commands, commandsAState)
  } catch (error) {
    const shortest = shrunk(commands)
    const decoded = shortest.map((words) => JSON.stringify(decodeCommand(words, 0)))
    throw new Error(`seed ${seed}: ${(error as Error).message}\nfails too:\n${decoded.join('\n')}`, {
      cause: error,
    })
  }
}

function randomCommands(seed: number, count: number): Int32Array[] {
  const random = new Random(seed)
  const words = new Int32Array(512)
  return Array.from({ length: count }, (_, i) => {
    encodeRandomCommand(words, random, i)
    return words.slice(0, words[0]! >>> 18)
  })
}

function play(commands: readonly Int32Array[], everyState: number): Counts {
  const counts: Counts = { commands: new Map(), events: new Map() }
  const books = new PairedBooks(1)
  const words = new Int32Array(512)
  for (const at of encodeInstruments(words)) books.apply(words, at)
  const compare = () => {
    for (const { instrumentId } of instruments) books.compareState(instrumentId)
  }
  for (const [i, command] of commands.entries()) {
    try {
      const { type } = books.apply(command, 0)
      counts.commands.set(type, (counts.commands.get(type) ?? 0) + 1)
      for (const event of books.lastEvents) {
        const name = nameOf(event)
        counts.events.set(name, (counts.events.get(name) ?? 0) + 1)
      }
      if (i % everyState === 0) compare()
    } catch (error) {
      throw new Error(`command ${i}: ${(error as Error).message}`, { cause: error })
    }
  }
  compare()
  for (let account = 0; account < 6; account++)
    expect(books.engine.instrumentsOf(account)).toEqual(books.naive.instrumentsOf(account))
  return counts
}

function nameOf(event: DecodedEvent): string {
  if (event.event === 'cancelled' || event.event === 'replaced') return `${event.event} ${event.reason}`
  return event.event === 'rejected' ? `${event.event} ${event.code}` : event.event
}

/** Leaves out ever smaller pieces of a list that fails, for as long as it fails without them. */
function shrunk(commands: readonly Int32Array[]): Int32Array[] {
  let list = [...commands]
  let runs = 0
  for (let piece = Math.ceil(list.length / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let at = 0; at < list.length && runs < shrinkRunsMax; runs++) {
      const without = [...list.slice(0, at), ...list.slice(at + piece)]
      if (fails(without)) list = without
      else at += piece
    }
  }
  return list
}

function fails(commands: readonly Int32Array[]): boolean {
  try {
    play(commands, 1)
    return false
  } catch {
    return true
  }
}
