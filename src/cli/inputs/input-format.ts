import { inputFailure } from '../failure.js'
import { benchmarkMagic } from './benchmark-source.js'
import type { InputFile } from './input-file.js'

export const inputFormats = ['commands', 'lobster', 'matching-engine-benchmark'] as const
export type InputFormat = (typeof inputFormats)[number]

const lobsterRow = /^\d+(\.\d+)?,[1-7],\d+,\d+,-?\d+,-?1\s*(\n|$)/

/**
 * Recognises an input by its content, and by its name where the content leaves it open.
 *
 * @throws CliFailure (bad input) when it is neither.
 */
export function recogniseFormat(file: InputFile): InputFormat {
  const { head, path } = file
  if (head.length >= 8 && head.readBigUInt64LE(0) === benchmarkMagic) return 'matching-engine-benchmark'
  const text = head
    .subarray(0, 4096)
    .toString('utf8')
    .replace(/^\uFEFF?\s*/, '')
  if (text.startsWith('{')) return 'commands'
  if (lobsterRow.test(text)) return 'lobster'
  const name = path.toLowerCase().replace(/\.gz$/, '')
  if (/\.(jsonl|ndjson)$/.test(name)) return 'commands'
  if (head.length === 0) throw inputFailure(`${file.name} is empty.`)
  throw inputFailure(
    `${file.name} is in no known format; state one with --format ${inputFormats.join(' | ')} if it is.`,
  )
}
