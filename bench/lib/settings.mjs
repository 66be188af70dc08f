import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeFolder } from '../../dist/src/log/disk/folders.js'
import { NodeDisk } from '../../dist/src/log/disk/node-disk.js'

/**
 * What every bench takes: `--quick` (a tiny run, to see that it works), `--short` (the headline's form), `--rounds N`
 * and `--dir FOLDER` (where the measured files go; `TIDEMARK_DIR` otherwise, and otherwise the temporary folder).
 *
 * @param {Record<string, string>} [own] the bench's own flags and their defaults, all of them text
 * @param {{ rounds?: number }} [defaults] rounds of a run in full
 */
export function readSettings(own = {}, defaults = {}) {
  const options = Object.fromEntries(Object.keys(own).map((name) => [name, { type: 'string' }]))
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      dir: { type: 'string' },
      ...options,
    },
  })
  const { quick, short } = values
  const rounds = whole('rounds', values.rounds ?? (quick ? 2 : short ? 3 : (defaults.rounds ?? 5)))
  const dir = path.resolve(values.dir ?? process.env.TIDEMARK_DIR ?? tmpdir())
  makeFolder(new NodeDisk(), dir)
  const flags = Object.fromEntries(Object.keys(own).map((name) => [name, values[name] ?? own[name]]))
  return { quick, short, rounds, dir, flags, pick: (q, s, full) => (quick ? q : short ? s : full) }
}

/** A whole number from 1 up, as text. */
export function whole(name, text) {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${name} is ${text}; use a whole number from 1 up.`)
  return value
}

/** Numbers that a variable of the environment lists, separated by commas, or the given ones. */
export function listed(variable, otherwise) {
  const text = process.env[variable]
  if (!text) return otherwise
  const values = text.split(',').map(Number)
  if (values.some((value) => !(value >= 0))) throw new Error(`${variable} is ${text}; use numbers from 0 up.`)
  return values
}

/** 1, 2, 4 … up to the cores, and once beyond. */
export function shardCounts() {
  const counts = [1]
  while (counts.at(-1) <= availableParallelism()) counts.push(counts.at(-1) * 2)
  return counts
}

/** Runs `use` with a new folder in `parent`, and removes it. */
export async function inFolder(parent, use) {
  const folder = mkdtempSync(path.join(parent, 'tidemark-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const stillMs = 120

/** Resolves when no file of a folder has grown for a while: what a log makes ready ahead of need is ready. */
export async function filled(dir) {
  const size = (name) => statSync(path.join(dir, name), { throwIfNoEntry: false })?.size ?? 0
  const bytes = () => readdirSync(dir).reduce((sum, name) => sum + size(name), 0)
  for (let before = -1, now = bytes(); now !== before; now = bytes()) {
    before = now
    await sleep(stillMs)
  }
}
