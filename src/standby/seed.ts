import { rmSync } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import * as path from 'node:path'
import type { Readable } from 'node:stream'
import { reasonOf } from '../base/errno.js'
import {
  AtomicFile,
  attempt,
  type Disk,
  isTemporaryName,
  makeFolder,
  NodeDisk,
  ReplicationError,
} from '../log/index.js'
import { copyPool, listLedgerFiles, listSnapshots } from '../pool/index.js'
import { readSeedStream } from './seed-stream.js'

/** Where a standby gets what it needs before it can follow: a folder that it can read, or a primary's `seedHandler`. */
export type Seed = { readonly dir: string } | { readonly url: string }

export interface SeedingOptions {
  /** Called with how much is copied, and of how much. */
  readonly onProgress: (bytesDone: number, bytesTotal: number) => void
  /** Ends a download. */
  readonly signal?: AbortSignal | undefined
  /** For how long a primary may send nothing: it makes the copy before it sends it. Milliseconds, default 60,000. */
  readonly silentMs?: number | undefined
}

const silentMsDefault = 60_000

/** While this file is in a folder, what else is there is being replaced, and counts for nothing. */
const markerName = 'SEEDING'
const downloadName = 'seed-download'
const segmentFile = /^(spare-|recycled-)?\d+\.wal$/

export function isBeingSeeded(disk: Disk, dir: string): boolean {
  return disk.exists(path.join(dir, markerName))
}

/** From now on what is in a folder counts for nothing, until it is seeded. */
export async function beginSeeding(disk: Disk, dir: string): Promise<void> {
  await AtomicFile.write(disk, path.join(dir, markerName), [Buffer.from('A standby is being seeded here.\n')])
}

/**
 * Replaces the log in a folder, and its snapshots, by a copy from elsewhere. The caller holds the folder's lock. One that is
 * interrupted, by a crash too, leaves a folder that says so: seed it again.
 *
 * @throws ReplicationError `TIDEMARK_SEED_FAILED`; what `copyPool` throws.
 */
export async function seedFolder(dir: string, seed: Seed, options: SeedingOptions): Promise<void> {
  const { onProgress } = options
  const disk = new NodeDisk()
  await beginSeeding(disk, dir)
  await clear(disk, dir)
  if ('dir' in seed) await copyPool(seed.dir, dir, { onProgress })
  else {
    const download = path.join(dir, downloadName)
    rmSync(download, { recursive: true, force: true })
    makeFolder(disk, download)
    await downloadSeed(seed.url, download, options)
    await copyPool(download, dir, { closed: true })
    rmSync(download, { recursive: true, force: true })
  }
  const marker = path.join(dir, markerName)
  attempt('remove', marker, () => disk.remove(marker))
  attempt('sync', dir, () => disk.syncDirectory(dir))
}

/** Removes the log and its snapshots. */
async function clear(disk: Disk, dir: string): Promise<void> {
  const files = [...(await listSnapshots(dir)), ...listLedgerFiles(disk, dir)]
  const snapshots = files.map((snapshot) => path.basename(snapshot.path))
  const gone = attempt('read', dir, () => disk.list(dir)).filter(
    (name) => segmentFile.test(name) || isTemporaryName(name) || snapshots.includes(name),
  )
  for (const name of gone) {
    const file = path.join(dir, name)
    attempt('remove', file, () => disk.remove(file))
  }
  attempt('sync', dir, () => disk.syncDirectory(dir))
}

async function downloadSeed(url: string, target: string, options: SeedingOptions): Promise<void> {
  try {
    const response = await get(url, options)
    await readSeedStream(response, target, options.onProgress)
  } catch (cause) {
    throw new ReplicationError(
      'TIDEMARK_SEED_FAILED',
      `The standby could not be seeded from ${url}: ${reasonOf(cause)}.`,
      { url },
      { cause },
    )
  }
}

function get(url: string, { signal, silentMs = silentMsDefault }: SeedingOptions): Promise<Readable> {
  return new Promise((resolve, reject) => {
    let stream: { destroy(error: Error): unknown }
    const request = (url.startsWith('https:') ? https : http).get(url, { signal }, (response) => {
      stream = response
      if (response.statusCode === 200) resolve(response)
      else {
        response.resume()
        reject(new Error(`it answered with status ${response.statusCode}`))
      }
    })
    stream = request
    request.on('error', reject)
    // A machine that hangs keeps its connections.
    request.setTimeout(silentMs, () => {
      stream.destroy(new Error(`it has sent nothing for ${silentMs} ms`))
    })
  })
}
