import { count, duration, rate } from '../number-format.js'
import type { BenchResult } from './bench-run.js'
import type { RawDiskResult } from './disk.js'

/** Faster than this no drive puts anything on flash: what answers is a cache, or memory. */
const cacheMs = 0.04
const fastMs = 1
const slowMs = 5
/** A sync that takes so many times as long as the usual one is noticed. */
const unsteady = 10
/** Written at this part of what the disk can do, the disk is what limits. */
const diskBound = 0.5

/** What was measured, in words: what the disk is like, what limits a pool on it, and what to do. */
export function adviceOf({
  disk,
  throughput,
  recommended,
}: Pick<BenchResult, 'disk' | 'throughput' | 'recommended'>): string[] {
  const { perBatch, shards, commandsPerSecond } = recommended
  const small = disk.find(({ bytes }) => bytes === 4096) ?? disk[0]!
  const large = disk.at(-1)!
  const advice = [oneSync(small)]
  const { p50Ms, p99Ms } = small.latency
  if (p99Ms > unsteady * p50Ms)
    advice.push(
      `One sync in a hundred takes ${duration(p99Ms)} or longer, the usual one ${duration(p50Ms)}. Other programs write to ` +
        'this disk, or it tidies itself up. Give the log a disk of its own if your slowest orders matter.',
    )
  const batched = throughput.filter((one) => one.handover === 'batch' && one.shards === shards)
  const point = batched.find((one) => one.perBatch === perBatch)
  const logBytes = commandsPerSecond * (point?.logBytesPerCommand ?? 0)
  const diskBytes = large.writesPerSecond * large.bytes
  if (logBytes > diskBound * diskBytes)
    advice.push(
      `The disk is what limits this machine: the pool wrote ${megabytes(logBytes)} of the ${megabytes(diskBytes)} ` +
        'that the disk takes. A faster disk gives more commands a second; more shards do not.',
    )
  else
    advice.push(
      `The processor is what limits this machine: the pool wrote ${megabytes(logBytes)}, and the disk takes ` +
        `${megabytes(diskBytes)}. A faster disk does not give more commands a second; faster cores do, and more shards if you have ` +
        'cores and symbols for them.',
    )
  const alone = batched.find((one) => one.perBatch === 1)
  if (alone && perBatch > 1)
    advice.push(
      `Handed over one by one, ${count(alone.commandsPerSecond)} commands a second became durable; in batches of ` +
        `${count(perBatch)}, ${count(commandsPerSecond)}. Batches cost no safety: each command is on disk before it is acknowledged.`,
    )
  return advice
}

function megabytes(bytesPerSecond: number): string {
  const number = bytesPerSecond / 1e6
  return `${number < 1000 ? rate(number) : count(Math.round(number))} MB/s`
}

/** What a sync of 4 KiB says about the disk. */
function oneSync({ writesPerSecond, latency: { p50Ms } }: RawDiskResult): string {
  const time = `A sync takes ${duration(p50Ms)} here`
  if (p50Ms < cacheMs)
    return (
      `${time}. That is a cache that answers, not flash or a plate. It is safe if the cache has power of its own (a drive with ` +
      'power loss protection, a controller with a battery). On a RAM disk, or a virtual disk that does not pass syncs on, a power ' +
      'cut takes what was acknowledged.'
    )
  if (p50Ms < fastMs)
    return `${time}: a fast disk. An order that comes alone is acknowledged after about that long; preset lowLatency suits it.`
  const syncs = `${count(writesPerSecond)} syncs a second`
  if (p50Ms < slowMs)
    return (
      `${time}, as usual for a drive without power loss protection, or a disk over a network. At ${syncs}, throughput comes from ` +
      'many commands to a sync: have many orders under way at once.'
    )
  return (
    `${time}: a slow disk, at ${syncs}. Every acknowledgement waits at least that long. Use batches of hundreds and preset ` +
    'highThroughput, or put the log on a solid-state drive.'
  )
}
