import { describe, expect, it } from 'vitest'
import { exitCodeOf, inputFailure, outputFailure, sentenceOf, usageFailure } from '#tidemark/cli/failure.js'
import { LogError, LogPoisonedError } from '#tidemark/log/index.js'

describe('failures', () => {
  it('of usage, of input, of output and of the log end with their own codes', () => {
    expect(exitCodeOf(usageFailure('x'))).toBe(2)
    expect(exitCodeOf(inputFailure('x'))).toBe(3)
    expect(exitCodeOf(outputFailure('write', '/f', new Error('x')))).toBe(1)
    expect(exitCodeOf(new LogError('TIDEMARK_LOG_LOCKED', 'x'))).toBe(1)
    expect(exitCodeOf(new TypeError('x'))).toBe(1)
  })

  it('of a setting in the environment is bad usage', () => {
    expect(exitCodeOf(new LogError('TIDEMARK_BAD_SETTING', 'x'))).toBe(2)
  })

  it('are shown as the innermost sentence of tidemark, which names the file', () => {
    const disk = new LogError('TIDEMARK_LOG_IO', 'Could not write /d/1.wal: the disk is full.')
    expect(sentenceOf(new LogPoisonedError(disk))).toBe('Could not write /d/1.wal: the disk is full.')
  })

  it('are shown in one line, whatever the error says', () => {
    expect(sentenceOf(new Error('first\n    at second'))).toBe('first.')
    expect(sentenceOf('')).toBe('An unknown error occurred.')
  })

  it('name the reason of a failed system call in words', () => {
    const cause = Object.assign(new Error('ENOSPC: no space left, write'), { code: 'ENOSPC' })
    expect(outputFailure('write', '/d/f', cause).message).toBe('Could not write /d/f: the disk is full.')
  })
})
