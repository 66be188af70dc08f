import { describe, expect, it } from 'vitest'
import { LogError, LogPoisonedError } from '#tidemark/log/index.js'
import { ReplicationError } from '#tidemark/log/replicated/index.js'
import { apiErrorOf } from '#tidemark/server/venue/venue.js'

describe('what a client gets for a failure of the pool', () => {
  it('says whether an order may have been executed', () => {
    for (const [failure, code] of [
      [new LogPoisonedError(new Error('broken')), -1006],
      [new ReplicationError('TIDEMARK_FENCED', 'Another one writes.', {}), -1006],
      [new LogError('TIDEMARK_DISK_FULL', 'It is full.', {}), -1008],
      [new Error('a fault'), -1000],
    ] as const)
      expect(apiErrorOf(failure).code, failure.message).toBe(code)
  })
})
