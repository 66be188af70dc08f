import type { Command } from '../../pool/index.js'
import {
  type CommandSink,
  type CommandSource,
  isRefusal,
  RefusalLog,
  type SourceInstrument,
  type SourceTarget,
} from './command-source.js'
import type { InputFile } from './input-file.js'
import { inexactNumber } from './json-numbers.js'
import { LineReader, lineCharsMax } from './line-reader.js'

/** Fields that may be written as a string of decimals; the other numbers of a command are whole. */
const decimalFields: ReadonlySet<string> = new Set([
  'price',
  'stopPrice',
  'trailingOffset',
  'activationPrice',
  'quantity',
  'displayQuantity',
  'tickSize',
  'lotSize',
  'minPrice',
  'maxPrice',
  'minQuantity',
  'maxQuantity',
  'minNotional',
  'quoteQuantity',
  'pegOffset',
])

/** Commands that concern more than one symbol, or make one. */
const goByThemselves: ReadonlySet<unknown> = new Set(['instrument', 'cancel-all', 'block', 'unblock'])

/**
 * Commands as JSON lines. A line that is no command is refused, with its number and a code, and the lines after it are read. The
 * index of a command counts every line that is not blank, refused ones too.
 */
export class JsonLinesSource implements CommandSource {
  readonly format = 'commands'
  readonly instruments: readonly SourceInstrument[] = []
  readonly refusals = new RefusalLog()
  readonly #file: InputFile
  readonly #lines: LineReader
  #target: SourceTarget | undefined
  #index = 0
  /** A command that goes by itself waits until what was read before it has been handed over: lines keep their order. */
  #held: Record<string, unknown> | undefined

  constructor(file: InputFile) {
    this.#file = file
    this.#lines = new LineReader(file)
  }

  get progress(): number | undefined {
    return this.#file.fraction
  }

  begin(target: SourceTarget): void {
    this.#target = target
  }

  close(): void {
    this.#file.close()
  }

  async fill(batch: CommandSink, goal: number): Promise<boolean> {
    if (this.#held) {
      const held = this.#held
      this.#held = undefined
      await this.#addSingle(held)
    }
    while (batch.length < goal) {
      if (this.#lines.needsMore) await this.#lines.more()
      const line = this.#lines.take()
      if (line === null) return false
      if (line !== undefined && line.trim() === '') continue
      const command = this.#parse(line)
      if (command && goByThemselves.has(command['type'])) {
        if (batch.length > 0) {
          this.#held = command
          return true
        }
        await this.#addSingle(command)
        continue
      }
      if (command) this.#add(batch, command)
      this.#index++
    }
    return true
  }

  #parse(line: string | undefined): Record<string, unknown> | undefined {
    if (line === undefined) {
      return this.#refuse('TIDEMARK_LINE_TOO_LONG', `The line is longer than ${lineCharsMax} characters.`)
    }
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return this.#refuse('TIDEMARK_BAD_JSON', 'The line is not JSON.')
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.#refuse('TIDEMARK_BAD_JSON', 'The line is not a JSON object.')
    }
    const inexact = inexactNumber(line)
    if (inexact !== undefined) {
      const { token, field } = inexact
      const advice = decimalFields.has(field)
        ? 'write it as a string'
        : `use a whole number up to ${Number.MAX_SAFE_INTEGER}`
      const message = `${field === '' ? '' : `${field} `}${token} is not exact as a number; ${advice}.`
      return this.#refuse('TIDEMARK_INEXACT_NUMBER', message)
    }
    return value as Record<string, unknown>
  }

  #add(batch: CommandSink, command: Record<string, unknown>): void {
    try {
      batch.add({ ...command, tag: this.#index } as unknown as Command)
    } catch (error) {
      this.#refuseFor(error)
    }
  }

  async #addSingle(command: Record<string, unknown>): Promise<void> {
    try {
      await this.#target!.submit({ ...command, tag: this.#index } as unknown as Command)
    } catch (error) {
      this.#refuseFor(error)
    }
    this.#index++
  }

  #refuseFor(error: unknown): void {
    if (!isRefusal(error)) throw error
    this.#refuse(error.code, error.message)
  }

  #refuse(code: string, message: string): undefined {
    this.refusals.add(this.#lines.line, code, message)
    return undefined
  }
}
