#!/usr/bin/env node
import { execute } from './execute.js'

// A reader such as `head` may close its end: what it no longer reads is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

await execute(process.argv.slice(2))
