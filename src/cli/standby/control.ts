import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import * as path from 'node:path'

/**
 * How `tidemark promote` reaches the process of `tidemark standby`: a socket of the file system that only its user can open. A
 * line with a command goes in, a line of JSON comes out.
 */
export interface ControlAnswer {
  readonly ok: boolean
  readonly [field: string]: unknown
}

/** The longest path that a socket can have, less a little. */
const pathBytesMax = 100
const requestBytesMax = 1024

/** The socket of a folder: in it, where its path is short enough. */
function socketOf(dir: string): string {
  const real = realpathSync(dir)
  const inside = path.join(real, 'standby.sock')
  if (Buffer.byteLength(inside) <= pathBytesMax) return inside
  const name = createHash('sha256').update(real).digest('hex').slice(0, 16)
  return path.join(tmpdir(), `tidemark-${name}.sock`)
}

/**
 * Answers commands for the standby in a folder, until the returned function is called: that ends the connections that have asked
 * nothing, and waits for the answers that are due.
 */
export async function serveControl(
  dir: string,
  answer: (command: string) => Promise<ControlAnswer>,
): Promise<() => Promise<void>> {
  const socket = socketOf(dir)
  // The folder is locked by this process: what is there was left by one that ended.
  rmSync(socket, { force: true })
  const idle = new Set<net.Socket>()
  const server = net.createServer((connection) => {
    let text = ''
    idle.add(connection)
    connection.once('close', () => idle.delete(connection))
    connection.setEncoding('utf8')
    connection.on('error', () => {})
    connection.on('data', (chunk: string) => {
      text += chunk
      if (text.length > requestBytesMax) connection.destroy()
      else if (text.endsWith('\n') && idle.delete(connection))
        void answer(text.trim()).then((result) => {
          connection.write(`${JSON.stringify(result)}\n`)
          connection.destroySoon() // a process that leaves its own end open keeps nothing
        })
    })
  })
  const umask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(socket, resolve)
    })
  } finally {
    process.umask(umask)
  }
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const connection of idle) connection.destroy()
    })
}

/** Sends a command to the standby in a folder; `undefined` when none runs there. */
export function askControl(dir: string, command: string): Promise<ControlAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const connection = net.connect(socketOf(dir))
    let text = ''
    connection.setEncoding('utf8')
    connection.once('connect', () => connection.write(`${command}\n`))
    connection.on('data', (chunk: string) => {
      text += chunk
    })
    connection.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    connection.once('close', (failed) => {
      if (failed) return
      try {
        resolve(JSON.parse(text) as ControlAnswer)
      } catch {
        reject(new Error('The standby ended before it answered.'))
      }
    })
  })
}
