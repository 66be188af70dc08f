import { bytes, count, duration, percent, rate } from '../number-format.js'
import { columnsTable } from '../tables.js'
import type { BenchResult } from './bench-run.js'

/** What `tidemark bench` found, for people. */
export function benchTables(result: BenchResult, advice: readonly string[]): string {
  const { node, cpu, cores, seconds, recommended, tradesPerCommand } = result
  const { perBatch, shards, preset, commandsPerSecond } = recommended
  const parts = [
    `Node ${node}, ${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${duration(seconds * 1000)} for each measurement.`,
    section('The disk by itself: write, then fdatasync, into a file of zeros', diskTable(result)),
    section(
      `Commands a second, all on disk (8 symbols, ${percent(tradesPerCommand, 1)} trades a command)`,
      throughputTable(result),
    ),
    section('Commands a second with 10,000 promises of submit under way', presetTable(result)),
    section('Until on disk, from the moment at which each command was due to arrive', latencyTable(result)),
    ['What this means', ...advice.map((sentence) => `  ${sentence}`)].join('\n\n'),
    `Recommended here: hand over about ${count(perBatch)} ${perBatch === 1 ? 'command' : 'commands'} at a time to ` +
      `${shards} ${shards === 1 ? 'shard' : 'shards'} (${rate(commandsPerSecond)} commands/s, within a tenth of the ` +
      `best), preset ${preset}.`,
  ]
  return parts.join('\n\n')
}

function diskTable({ disk }: BenchResult): string {
  return table(
    ['bytes', 'syncs/s', 'bytes/s', 'p50', 'p99', 'max'],
    disk.map(({ bytes: size, writesPerSecond, latency: { p50Ms, p99Ms, maxMs } }) => [
      bytes(size),
      count(writesPerSecond),
      `${bytes(writesPerSecond * size)}/s`,
      duration(p50Ms),
      duration(p99Ms),
      duration(maxMs),
    ]),
  )
}

function throughputTable({ throughput }: BenchResult): string {
  return table(
    ['handed over', 'shards', 'commands/s', 'commands a flush', 'log bytes a command'],
    throughput.map(
      ({ handover, shards, perBatch, commandsPerSecond, commandsPerFlush, logBytesPerCommand }) => [
        handover === 'submit' ? 'submit, 10,000 promises' : `submitBatch of ${count(perBatch)}`,
        String(shards),
        rate(commandsPerSecond),
        count(commandsPerFlush),
        count(logBytesPerCommand),
      ],
    ),
  )
}

function presetTable({ presets }: BenchResult): string {
  return table(
    ['preset', 'commands/s'],
    presets.map(({ preset, commandsPerSecond }) => [preset, rate(commandsPerSecond)]),
  )
}

function latencyTable({ latency }: BenchResult): string {
  return table(
    ['commands/s', 'preset', 'p50', 'p99', 'p99.9', 'max', ''],
    latency.map(({ preset, ratePerSecond, kept, latency: { p50Ms, p99Ms, p999Ms, maxMs } }) => [
      count(ratePerSecond),
      preset,
      duration(p50Ms),
      duration(p99Ms),
      duration(p999Ms),
      duration(maxMs),
      kept ? '' : 'did not keep up',
    ]),
  )
}

function section(title: string, text: string): string {
  return `${title}\n\n${text}`
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return columnsTable(columns, rows, { indent: '  ' })
}
