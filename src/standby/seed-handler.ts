import { readdirSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import * as path from 'node:path'
import type { EnginePool } from '../pool/index.js'
import { writeSeedStream } from './seed-stream.js'

const folderPrefix = 'seed-copy-'
/** So often the standby hears that its copy is being made. */
const processingMs = 5000
/** A standby that takes nothing for so long is gone: another one may ask. */
const silentMs = 60_000

/**
 * A handler for `node:http` that answers each GET with a fresh backup of the pool, from which a standby is seeded. It has no
 * password of its own: put it on an address that only the standbys reach, or check who asks before you call it.
 *
 * Each answer makes a copy in the pool's folder, and removes it again: leave room for one. While one is made, others are
 * answered with 503.
 *
 * @example
 * ```js
 * import { createServer } from 'node:http'
 * import { EnginePool } from 'tidemark'
 * import { seedHandler } from 'tidemark/replication'
 *
 * const pool = await EnginePool.open({ dir: './data' })
 * const server = createServer(seedHandler(pool)).listen(0, '127.0.0.1')
 * server.close()
 * await pool.close()
 * ```
 */
export function seedHandler(pool: EnginePool): (request: IncomingMessage, response: ServerResponse) => void {
  // What a process left that ended while it answered.
  for (const name of readdirSync(pool.dir))
    if (name.startsWith(folderPrefix)) rmSync(path.join(pool.dir, name), { recursive: true, force: true })
  let busy = false
  return (request, response) => {
    if (request.method !== 'GET') {
      response.writeHead(405).end()
      return
    }
    if (busy) {
      response.writeHead(503, { 'retry-after': '5' }).end('Another standby is being seeded.\n')
      return
    }
    busy = true
    answer(pool, response)
      .catch((error) => {
        if (!response.headersSent) response.writeHead(500).end(`${(error as Error).message}\n`)
        else response.destroy(error as Error)
      })
      .finally(() => {
        busy = false
      })
  }
}

async function answer(pool: EnginePool, response: ServerResponse): Promise<void> {
  const folder = await mkdtemp(path.join(pool.dir, folderPrefix))
  try {
    const copy = path.join(folder, 'copy')
    response.setTimeout(silentMs, () => response.destroy())
    const processing = setInterval(() => response.writeProcessing(), processingMs)
    try {
      await pool.backup(copy)
    } finally {
      clearInterval(processing)
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    await writeSeedStream(copy, response)
  } finally {
    // Large files take a while, and the pool's event loop must not wait for them.
    await rm(folder, { recursive: true, force: true })
  }
}
