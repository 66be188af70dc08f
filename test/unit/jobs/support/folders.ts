import * as fs from 'node:fs'
import * as path from 'node:path'
import { DurableLog } from '#tidemark/log/index.js'

/** Small files and a small ring, so that a test meets their ends. */
export const smallLog = { ringBytes: 64 * 1024, maxBatchBytes: 16 * 1024, segmentBytes: 64 * 1024 }

export function segmentFiles(dir: string): string[] {
  return fs
    .readdirSync(dir)
    .filter((name) => /^\d+\.wal$/.test(name))
    .sort()
    .map((name) => path.join(dir, name))
}

/** Changes bytes of a file in place. */
export function damage(file: string, offset: number, bytes: Uint8Array = Buffer.from([0xff])): void {
  const handle = fs.openSync(file, 'r+')
  fs.writeSync(handle, bytes, 0, bytes.byteLength, offset)
  fs.closeSync(handle)
}

/** Finds a text in the segment files of a folder. */
export function findText(dir: string, text: string): { file: string; offset: number } {
  for (const file of segmentFiles(dir)) {
    const offset = fs.readFileSync(file).indexOf(text)
    if (offset >= 0) return { file, offset }
  }
  throw new Error(`${text} is in no segment of ${dir}`)
}

/** Writes records as they are into a log, past everything that the job log checks. */
export async function writeRecords(dir: string, records: readonly string[], type = 64): Promise<void> {
  const log = await DurableLog.open({ dir, kind: 'jobs', ...smallLog })
  for (const record of records) log.append(Buffer.from(record), type)
  await log.close()
}

export function codeOf(error: unknown): string {
  return (error as { code: string }).code
}

/** The code of the error that a call throws or rejects with. */
export async function failureOf(call: () => unknown): Promise<string> {
  try {
    await call()
  } catch (error) {
    return codeOf(error)
  }
  return 'no error'
}
