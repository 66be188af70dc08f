import { describe, expect, it } from 'vitest'
import { fromErrorMessage, ioError, LogError, toErrorMessage } from '#tidemark/log/errors.js'

describe('an error that comes from another thread', () => {
  const sent = (error: unknown) => fromErrorMessage(structuredClone(toErrorMessage(error)))

  it('has its code, details, stack and causes as they were', () => {
    const errno = Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' })
    const error = new LogError(
      'TIDEMARK_LOG_CORRUPT',
      'The log is corrupt.',
      { lsn: 8, file: 'a' },
      {
        cause: ioError('write to', 'a', errno),
      },
    )
    const received = sent(error)
    expect(received).toBeInstanceOf(LogError)
    expect(received).toMatchObject({
      code: 'TIDEMARK_LOG_CORRUPT',
      message: 'The log is corrupt.',
      details: { lsn: 8, file: 'a' },
      stack: error.stack,
      cause: {
        code: 'TIDEMARK_LOG_IO',
        details: { errno: 'ENOSPC' },
        cause: { code: 'ENOSPC', stack: errno.stack },
      },
    })
  })

  it('says what failed where it is no error of ours, with the stack of the place', () => {
    const error = new TypeError('x is not a function')
    expect(sent(error)).toMatchObject({
      code: 'TIDEMARK_THREAD_DIED',
      stack: error.stack,
      cause: { message: 'x is not a function' },
    })
    expect(sent('text')).toMatchObject({ code: 'TIDEMARK_THREAD_DIED', cause: { message: 'text' } })
  })

  it('arrives whatever its details and causes are', () => {
    const error = new LogError('TIDEMARK_LOG_IO', 'A message.', { call: () => {}, lsn: 8 })
    expect(sent(error).details).toMatchObject({ lsn: '8' })
    const endless = new Error('endless')
    endless.cause = endless
    expect(sent(endless).code).toBe('TIDEMARK_THREAD_DIED')
  })
})
