import * as fs from 'node:fs'
import * as path from 'node:path'
import { LatencyRecorder, type LatencySummary } from '../latency.js'

const zeros = new Uint8Array(1024 * 1024)

/** A file of zeros that is on disk, written over from its beginning to its end and round again. */
export class ZeroedFile {
  readonly #file: number
  readonly #bytes: number
  #position = 0

  constructor(name: string, bytes: number) {
    this.#file = fs.openSync(name, 'w+')
    this.#bytes = bytes
    for (let at = 0; at < bytes; at += zeros.length) {
      fs.writeSync(this.#file, zeros, 0, Math.min(zeros.length, bytes - at), at)
    }
    fs.fsyncSync(this.#file)
  }

  /** Writes a buffer after the last one, and returns when it is on disk. */
  writeDurably(buffer: Uint8Array): void {
    if (this.#position + buffer.length > this.#bytes) this.#position = 0
    fs.writevSync(this.#file, [buffer], this.#position)
    fs.fdatasyncSync(this.#file)
    this.#position += buffer.length
  }

  close(): void {
    fs.closeSync(this.#file)
  }
}

export interface RawDiskResult {
  readonly bytes: number
  readonly writesPerSecond: number
  readonly latency: LatencySummary
}

/**
 * Writes batches of `bytes`, one after the other, each followed by fdatasync and nothing else, for `timeMs`; the file
 * was filled with zeros beforehand.
 */
export function rawDisk(dir: string, bytes: number, timeMs: number): RawDiskResult {
  const name = path.join(dir, 'raw-disk.tmp')
  const file = new ZeroedFile(name, Math.max(16 * 1024 * 1024, bytes * 4))
  try {
    const buffer = new Uint8Array(bytes).fill(0x5a)
    for (let i = 0; i < 20; i++) file.writeDurably(buffer)
    const latency = new LatencyRecorder()
    const startMs = performance.now()
    let nowMs = startMs
    let writes = 0
    while (nowMs - startMs < timeMs || writes === 0) {
      file.writeDurably(buffer)
      const beforeMs = nowMs
      nowMs = performance.now()
      latency.record(nowMs - beforeMs)
      writes++
    }
    return { bytes, writesPerSecond: (writes / (nowMs - startMs)) * 1000, latency: latency.summary() }
  } finally {
    file.close()
    fs.rmSync(name, { force: true })
  }
}
