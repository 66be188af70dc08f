import { createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import * as path from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * The files of a folder as one stream: a line of JSON with all names and sizes, then the bytes of each, one after the other.
 * That they are what was written is checked when they are opened, and not here: batches and snapshots have their CRCs.
 */
interface SeedFile {
  readonly name: string
  readonly bytes: number
}

const lineBytesMax = 4 * 1024 * 1024
const fileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/

/** Writes the files of a folder. Rejects when the target is closed before, and leaves no file open. */
export async function writeSeedStream(folder: string, target: Writable): Promise<void> {
  const files: SeedFile[] = []
  for (const name of (await readdir(folder)).sort()) {
    const { size } = await stat(path.join(folder, name))
    files.push({ name, bytes: size })
  }
  target.write(`${JSON.stringify({ files })}\n`)
  for (const { name, bytes } of files) {
    if (bytes === 0) continue
    await pipeline(createReadStream(path.join(folder, name), { end: bytes - 1 }), target, { end: false })
  }
  target.end()
}

/** Reads what `writeSeedStream` wrote into files of an empty folder. */
export async function readSeedStream(
  source: Readable,
  folder: string,
  onProgress: (bytesDone: number, bytesTotal: number) => void,
): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0)
  let files: SeedFile[] = []
  let [done, total, left] = [0, 0, 0]
  let out: FileHandle | undefined
  const next = async () => {
    while (left === 0) {
      await out?.close()
      out = undefined
      const file = files.shift()
      if (!file) return
      out = await open(path.join(folder, file.name), 'wx')
      left = file.bytes
    }
  }
  try {
    for await (const piece of source as AsyncIterable<Buffer>) {
      let chunk = piece
      if (head) {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf(10)
        if (end < 0) {
          if (head.byteLength > lineBytesMax) throw new Error('it is not a seed of tidemark')
          continue
        }
        files = filesOf(head.subarray(0, end))
        total = files.reduce((sum, { bytes }) => sum + bytes, 0)
        chunk = head.subarray(end + 1)
        head = undefined
        onProgress(0, total)
        await next()
      }
      for (let at = 0; at < chunk.byteLength; ) {
        if (!out) throw new Error('it is longer than it says')
        const part = chunk.subarray(at, at + left)
        await out.writeFile(part)
        at += part.byteLength
        left -= part.byteLength
        done += part.byteLength
        await next()
      }
      onProgress(done, total)
    }
  } finally {
    await out?.close()
  }
  if (head || done < total) throw new Error(`it ended after ${done} of ${total} bytes`)
}

function filesOf(line: Buffer): SeedFile[] {
  const { files } = JSON.parse(line.toString()) as { files: SeedFile[] }
  const valid =
    Array.isArray(files) &&
    files.every(({ name, bytes }) => fileName.test(name) && Number.isSafeInteger(bytes) && bytes >= 0)
  if (!valid) throw new Error('it is not a seed of tidemark')
  return files
}
