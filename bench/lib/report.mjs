import { execFileSync } from 'node:child_process'
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import * as path from 'node:path'
import { bytes } from '../../dist/src/cli/number-format.js'
import { page } from './html.mjs'

const resultsFolder = path.join(import.meta.dirname, '../results')

/**
 * What one bench found: tables and charts in the order in which they are added, and the lines that say which goal is
 * met. Tables appear on standard output as they are added; `finish` writes `bench/results/<name>.json` and `.html`.
 */
export class Report {
  /** @param {string} name @param {string} title @param {{ dir: string, rounds: number, quick: boolean, short: boolean }} settings */
  constructor(name, title, settings) {
    this.name = name
    this.title = title
    this.machine = machine(settings.dir)
    this.settings = { rounds: settings.rounds, quick: settings.quick, short: settings.short }
    this.command = process.argv.slice(1).map((part) => path.relative(process.cwd(), part) || part)
    this.startedAt = new Date().toISOString()
    this.sections = []
    this.goals = []
    /** What could not be measured, and why, by name. */
    this.notMeasured = {}
    this.startMs = performance.now()
    say(`\n# ${title}`)
    say(
      Object.entries(this.machine)
        .map(([what, value]) => `${what} ${value}`)
        .join(', '),
    )
    say(`${settings.rounds} rounds`)
    if (settings.quick) say('A quick run shows that everything works; its numbers are worth nothing.')
  }

  /**
   * @param {string} title
   * @param {string[]} columns
   * @param {(string | number)[][]} rows
   * @param {{ note?: string, data?: unknown, charts?: object[] }} [more]
   */
  table(title, columns, rows, more = {}) {
    this.sections.push({ title, columns, rows, ...more })
    say(`\n## ${title}\n${textTable(columns, rows)}`)
    if (more.note) say(more.note)
  }

  /** A drawing of text under the last table. */
  drawing(text) {
    say(`\n${text}`)
  }

  /** Names that stand in no table because they could not be measured. */
  get missing() {
    return Object.keys(this.notMeasured)
  }

  /** Says that a peer was not measured, and why: the first line of what it failed with. */
  leaveOut(what, error) {
    const lines = String(error?.stderr || error?.message || error).split('\n')
    const reason = (lines.find((line) => line.includes('Error')) ?? lines[0]).trim()
    this.notMeasured[what] = reason
    say(`NOT MEASURED: ${what}: ${reason}`)
  }

  /** A contender that is left out from its first failure on: a peer that is not installed stops no bench. */
  measuredIfThere(what, contender) {
    return async () => {
      if (what in this.notMeasured) return undefined
      try {
        return await contender()
      } catch (error) {
        this.leaveOut(what, error)
        return undefined
      }
    }
  }

  /**
   * A line that compares a ratio with what it has to be, or, `absolute`, a value that holds for this machine alone.
   *
   * @param {string} what
   * @param {number} value
   * @param {{ atLeast?: number, atMost?: number, unit?: string, absolute?: boolean }} goal
   */
  goal(what, value, { atLeast, atMost, unit = '', absolute = false }) {
    const met = atLeast === undefined ? value <= atMost : value >= atLeast
    const wanted = atLeast === undefined ? `at most ${figure(atMost)}` : `at least ${figure(atLeast)}`
    this.goals.push({ what, value, wanted: `${wanted}${unit}`, met, unit, absolute })
  }

  finish() {
    if (this.goals.length > 0) {
      const rows = this.goals.map(({ what, value, wanted, met, unit }) => [
        what,
        `${figure(value)}${unit}`,
        wanted,
        met ? 'yes' : 'no',
      ])
      say(`\n## Goals\n${textTable(['what', 'measured', 'wanted', 'met'], rows)}`)
    }
    for (const [what, reason] of Object.entries(this.notMeasured)) say(`NOT MEASURED: ${what}: ${reason}`)
    const elapsedMs = performance.now() - this.startMs
    const { name, title, machine, settings, command, startedAt, sections, goals, notMeasured } = this
    const result = {
      name,
      title,
      startedAt,
      elapsedMs,
      machine,
      settings,
      command,
      goals,
      notMeasured,
      sections,
    }
    mkdirSync(resultsFolder, { recursive: true })
    const file = path.join(resultsFolder, name)
    writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 1)}\n`)
    writeFileSync(`${file}.html`, page(title, [result]))
    say(`\n${(elapsedMs / 1000).toFixed(1)} s; bench/results/${name}.json and .html`)
    return result
  }
}

/** Three significant digits, for ratios and such. */
export function figure(value) {
  if (!Number.isFinite(value)) return '-'
  return Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)))
}

/** A spread as "median (smallest to largest)". */
export function range({ median, min, max }, format = figure) {
  return `${format(median)} (${format(min)} to ${format(max)})`
}

const barWidth = 48

/**
 * Bars of text from zero, with a `|` where each has its mark.
 *
 * @param {{ name: string, value: number, mark: number, shown: string }[]} bars
 * @param {string} markName
 */
export function textBars(bars, markName) {
  const most = Math.max(...bars.flatMap(({ value, mark }) => [value, mark]))
  const nameWidth = Math.max(...bars.map(({ name }) => name.length))
  const place = (value) => Math.round((value / most) * barWidth)
  const lines = bars.map(({ name, value, mark, shown }) => {
    const cells = '#'
      .repeat(place(value))
      .padEnd(barWidth + 1)
      .split('')
    cells[place(mark)] = '|'
    return `${name.padEnd(nameWidth)}  ${cells.join('')}  ${shown}`
  })
  return [...lines, `${' '.repeat(nameWidth)}  |: ${markName}`].join('\n')
}

export function textTable(columns, rows) {
  const lines = [columns, ...rows.map((row) => row.map(String))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at].length)))
  const line = (cells) =>
    cells
      .map((cell, at) => cell.padEnd(widths[at]))
      .join('  ')
      .trimEnd()
  return [
    line(columns),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...lines.slice(1).map(line),
  ].join('\n')
}

function say(text) {
  process.stdout.write(`${text}\n`)
}

function machine(dir) {
  const { type } = statfsSync(dir)
  return {
    node: process.version,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: coresOf(),
    memory: bytes(totalmem()),
    kernel: release(),
    'file system': fileSystem(dir, type),
  }
}

/** Those that this process may use, of those that the machine has. */
function coresOf() {
  const all = cpus().length
  const usable = availableParallelism()
  return usable === all ? all : `${usable} of ${all}`
}

/** The name that `stat` has for the file system, or its number where there is no such program. */
function fileSystem(dir, type) {
  try {
    return execFileSync('stat', ['-f', '-c', '%T', dir], { encoding: 'utf8' }).trim()
  } catch {
    return `0x${type.toString(16)}`
  }
}
