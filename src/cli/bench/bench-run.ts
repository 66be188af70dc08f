import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import * as path from 'node:path'
import { type Preset, presets } from '../../log/index.js'
import type { Command } from '../../matching/index.js'
import { EnginePool } from '../../pool/index.js'
import type { LatencySummary } from '../latency.js'
import { runArrivals } from './arrivals.js'
import { type RawDiskResult, rawDisk } from './disk.js'
import { drive, type Handover } from './drive.js'
import { CommandTape } from './tape.js'

export interface BenchSettings {
  /** An empty folder on the disk to measure. */
  readonly folder: string
  readonly shards: number
  /** Time for each measurement, and as long again to warm up. */
  readonly seconds: number
  /** Commands on the tape: no measurement takes more. */
  readonly commands: number
  /** Called before each measurement, with how far all of them are, 0 to 1. */
  readonly onProgress: (done: number, text: string) => void
}

export interface ThroughputPoint {
  readonly handover: Handover
  readonly shards: number
  /** Commands handed over at once. */
  readonly perBatch: number
  readonly commandsPerSecond: number
  readonly commandsPerFlush: number
  readonly logBytesPerCommand: number
}

export interface LatencyPoint {
  readonly preset: Preset
  readonly ratePerSecond: number
  /** Whether the pool kept up with the rate. */
  readonly kept: boolean
  readonly latency: LatencySummary
}

export interface PresetPoint {
  readonly preset: Preset
  /** Commands a second with 10,000 promises under way. */
  readonly commandsPerSecond: number
}

export interface Recommendation {
  /** The smallest batch, and the fewest shards, within a tenth of the best. */
  readonly perBatch: number
  readonly shards: number
  readonly commandsPerSecond: number
  readonly preset: Preset
}

export interface BenchResult {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly seconds: number
  readonly disk: readonly RawDiskResult[]
  readonly throughput: readonly ThroughputPoint[]
  readonly presets: readonly PresetPoint[]
  readonly latency: readonly LatencyPoint[]
  readonly tradesPerCommand: number
  readonly recommended: Recommendation
}

const batches = [1, 10, 100, 1000, 10_000]
const diskBytes = [128, 4096, 65_536, 1_048_576]
const symbols = 8
const promisesInFlight = 10_000
const windowMax = 65_536
/** Parts of the best throughput at which latency is measured. */
const loads = [0.1, 0.25, 0.5]
/** What is this close to the best counts as good as the best. */
const goodEnough = 0.9

/** All of `tidemark bench`. */
export class BenchRun {
  readonly #settings: BenchSettings
  readonly #tape: CommandTape
  readonly #objects: Command[]
  #tradesPerCommand = 0
  #measurements = 0

  constructor(settings: BenchSettings) {
    this.#settings = settings
    this.#tape = new CommandTape({ commands: settings.commands, symbols })
    this.#objects = this.#tape.objects(0, Math.ceil(settings.commands / 2))
  }

  async run(): Promise<BenchResult> {
    const { seconds, folder } = this.#settings
    const disk = diskBytes.map((bytes) => {
      this.#begin(`disk, ${bytes} bytes`)
      return rawDisk(folder, bytes, seconds * 1000)
    })
    const throughput = await this.#throughput()
    const best = recommendBatch(throughput)
    const presetPoints = await this.#presets(best.shards)
    const preset = recommendPreset(presetPoints)
    const latency = await this.#latency(best)
    return {
      node: process.version,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      seconds,
      disk,
      throughput,
      presets: presetPoints,
      latency,
      tradesPerCommand: this.#tradesPerCommand,
      recommended: { ...best, preset },
    }
  }

  #begin(measurement: string): void {
    const presetCount = Object.keys(presets).length
    const shardCounts = Math.floor(Math.log2(this.#settings.shards)) + 1
    const all = diskBytes.length + shardCounts * (1 + batches.length) + presetCount * (1 + loads.length)
    this.#settings.onProgress(this.#measurements++ / all, measurement)
  }

  async #throughput(): Promise<ThroughputPoint[]> {
    const points: ThroughputPoint[] = []
    for (let shards = 1; shards <= this.#settings.shards; shards *= 2) {
      points.push(await this.#point('submit', shards, 1))
      for (const perBatch of batches) points.push(await this.#point('batch', shards, perBatch))
    }
    return points
  }

  async #point(
    handover: Handover,
    shards: number,
    perBatch: number,
    preset: Preset = 'lowLatency',
  ): Promise<ThroughputPoint> {
    const { seconds } = this.#settings
    this.#begin(`throughput, ${handover} of ${perBatch}, shards ${shards}, ${preset}`)
    return this.#withPool({ shards, preset }, async (pool) => {
      const tape = this.#tape
      const last = handover === 'submit' ? this.#objects.length : tape.length
      const window = handover === 'submit' ? promisesInFlight : windowMax
      const part = { handover, perBatch, window, timeMs: seconds * 1000, objects: this.#objects }
      const warm = await drive(pool, tape, { ...part, from: 0, to: Math.floor(last / 3) })
      const result = await drive(pool, tape, { ...part, from: warm.commands, to: last })
      this.#tradesPerCommand = result.trades / result.commands
      return {
        handover,
        shards,
        perBatch,
        commandsPerSecond: (result.commands / result.elapsedMs) * 1000,
        commandsPerFlush: result.commands / Math.max(1, result.flushes),
        logBytesPerCommand: result.logBytes / result.commands,
      }
    })
  }

  async #presets(shards: number): Promise<PresetPoint[]> {
    const points: PresetPoint[] = []
    for (const preset of Object.keys(presets) as Preset[]) {
      const { commandsPerSecond } = await this.#point('submit', shards, 1, preset)
      points.push({ preset, commandsPerSecond })
    }
    return points
  }

  async #latency({ shards, commandsPerSecond }: { shards: number; commandsPerSecond: number }) {
    const points: LatencyPoint[] = []
    for (const load of loads) {
      const ratePerSecond = Math.max(1, roundDown(commandsPerSecond * load))
      for (const preset of Object.keys(presets) as Preset[]) {
        points.push(await this.#latencyPoint(ratePerSecond, shards, preset))
      }
    }
    return points
  }

  #latencyPoint(ratePerSecond: number, shards: number, preset: Preset): Promise<LatencyPoint> {
    const { seconds } = this.#settings
    this.#begin(`latency, ${ratePerSecond} a second, ${preset}`)
    return this.#withPool({ shards, preset }, async (pool) => {
      const tape = this.#tape
      const part = { handover: 'batch', perBatch: 100, window: promisesInFlight } as const
      const warm = await drive(pool, tape, {
        ...part,
        from: 0,
        to: Math.floor(tape.length / 3),
        timeMs: seconds * 1000,
      })
      const batch = pool.batch()
      const arrivals = Math.max(1, Math.min(Math.round(ratePerSecond * seconds), tape.length - warm.commands))
      const { kept, latency } = await runArrivals(
        { ratePerSecond, arrivals, window: windowMax },
        (from, to) => {
          tape.play(batch, warm.commands + from, warm.commands + to)
          const acknowledged = pool.submitBatch(batch)
          batch.clear()
          return acknowledged
        },
      )
      return { preset, ratePerSecond, kept, latency }
    })
  }

  /** A pool in a folder of its own, which is removed; its shards, batching and durability are those asked for, whatever the environment says. */
  async #withPool<T>(
    { shards, preset }: { shards: number; preset: Preset },
    use: (pool: EnginePool) => Promise<T>,
  ): Promise<T> {
    const dir = mkdtempSync(path.join(this.#settings.folder, 'pool-'))
    const pool = await EnginePool.open({
      dir,
      shards,
      ...presets[preset],
      durability: 'group',
      maxInFlight: windowMax,
      instruments: this.#tape.instruments,
    })
    try {
      return await use(pool)
    } finally {
      await pool.close()
      rmSync(dir, { recursive: true, force: true })
    }
  }
}

/** Of the batched points that come within a tenth of the best, the one with fewest shards and then the smallest batch. */
export function recommendBatch(points: readonly ThroughputPoint[]): Omit<Recommendation, 'preset'> {
  const batches = points.filter(({ handover }) => handover === 'batch')
  const best = Math.max(...batches.map(({ commandsPerSecond }) => commandsPerSecond))
  const good = batches.filter(({ commandsPerSecond }) => commandsPerSecond >= best * goodEnough)
  const [first] = good.toSorted((a, b) => a.shards - b.shards || a.perBatch - b.perBatch)
  const { perBatch, shards, commandsPerSecond } = first!
  return { perBatch, shards, commandsPerSecond }
}

/** The preset that waits least, unless another one is more than a tenth faster. */
export function recommendPreset(points: readonly PresetPoint[]): Preset {
  const best = Math.max(...points.map(({ commandsPerSecond }) => commandsPerSecond))
  return points.find(({ commandsPerSecond }) => commandsPerSecond >= best * goodEnough)!.preset
}

/** 123,456 as 120,000: two digits are all that a rate needs. */
function roundDown(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1)
  return Math.floor(value / unit) * unit
}
