import { expect, it } from 'vitest'
import { Deadline } from '#tidemark/client/connection.js'

it('a request is given up when its time is over, also where the timer is a little early', async () => {
  const never = new Promise<void>(() => {})
  const waits = Array.from({ length: 300 }, (_, i) => new Deadline(1 + (i % 20)).wait(never, 'ping', { i }))
  const ended = await Promise.allSettled(waits)
  const codes = ended.map((one) => (one.status === 'rejected' ? one.reason.code : 'resolved'))
  expect(new Set(codes)).toEqual(new Set(['TIDEMARK_CLIENT_NO_ANSWER']))
})
