import { writeSync } from 'node:fs'

/** Writes a value as a whole JSON line into the pipe to the parent now, however slowly that reads. */
export function say(value) {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}
