import { ApiError } from '../dialect/api-error.js'
import { names, type Operation } from '../operations/operation.js'
import type { UserStreams } from './user-streams.js'

/** The older way to one's user data: a listen key, whose stream is `/ws/<listenKey>`. */
export function listenKeyOperations(users: UserStreams): Operation[] {
  const path = '/userDataStream'
  const unknown = () => new ApiError(-1125, 'This listenKey does not exist.')
  return [
    {
      method: 'userDataStream.start',
      rest: ['POST', path],
      security: 'key',
      weight: 2,
      params: names(),
      run: ({ account }) => {
        const listenKey = users.start(account)
        if (listenKey === undefined) throw new ApiError(-1003, 'Too many requests queued.', 429)
        return { listenKey }
      },
    },
    {
      method: 'userDataStream.ping',
      rest: ['PUT', path],
      security: 'key',
      weight: 2,
      params: names('listenKey'),
      run: ({ account, params }) => {
        if (!users.keepAlive(account, params.required('listenKey'))) throw unknown()
        return {}
      },
    },
    {
      method: 'userDataStream.stop',
      rest: ['DELETE', path],
      security: 'key',
      weight: 2,
      params: names('listenKey'),
      run: ({ account, params }) => {
        if (!users.stop(account, params.required('listenKey'))) throw unknown()
        return {}
      },
    },
  ]
}
