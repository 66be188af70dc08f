#!/usr/bin/env node
import { CommanderError } from 'commander'
import { exitCodes } from './exit-codes.js'
import { exitCodeOf, sentenceOf } from './failure.js'
import { buildProgram } from './program.js'

// A reader such as `head` may close its end: what it no longer reads is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

try {
  await (await buildProgram(process.argv.slice(2))).parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  } else {
    process.stderr.write(`${sentenceOf(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
