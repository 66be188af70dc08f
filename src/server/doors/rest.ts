import { ApiError } from '../dialect/api-error.js'
import { Params, readForm } from '../dialect/params.js'
import type { Operation } from '../operations/operation.js'
import type { WebReply, WebRequest, WebServer } from '../packages.js'
import type { Desk } from './desk.js'
import { isCutAfter, isCutBefore, refusalOf } from './fates.js'

/** Bytes of a body. */
export const bodyMax = 16_384
const queryMax = 8192

/** Adds the routes below `/api/v3`. */
export function addRestRoutes(web: WebServer, desk: Desk, operations: readonly Operation[]): void {
  web.removeAllContentTypeParsers()
  web.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body))
  for (const operation of operations) {
    const { rest } = operation
    if (!rest) continue
    web.route({
      method: rest[0],
      url: `/api/v3${rest[1]}`,
      handler: (request, reply) => answer(desk, operation, request, reply),
    })
  }
}

async function answer(
  desk: Desk,
  operation: Operation,
  request: WebRequest,
  reply: WebReply,
): Promise<WebReply> {
  const address = request.raw.socket.remoteAddress ?? ''
  const apiKey = request.raw.headers['x-mbx-apikey']
  const fate = desk.fateOf(typeof apiKey === 'string' ? apiKey : undefined)
  if (fate && fate.beforeMs > 0) await desk.faults.delays.wait(fate.beforeMs)
  if (isCutBefore(fate)) return cutOff(request, reply)
  let body: string
  try {
    const refusal = refusalOf(fate, desk.venue.nowMs())
    if (refusal) throw refusal
    const { params, payload } = readRequest(request)
    if (request.raw.headers['x-mbx-time-unit'] !== undefined && !isMilliseconds(request)) throw badTimeUnit()
    const result = await desk.execute(operation, params, {
      address,
      apiKey: typeof apiKey === 'string' ? apiKey : undefined,
      payload,
      session: undefined,
    })
    body = JSON.stringify(result)
  } catch (error) {
    const refusal = desk.refusalOf(error)
    reply.code(refusal.status)
    if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter))
    body = JSON.stringify(refusal.toBody())
  }
  // Over REST an answer that does not come is a connection that ends.
  if (isCutAfter(fate) || fate?.fault === 'lost') return cutOff(request, reply)
  if (fate && fate.afterMs > 0) await desk.faults.delays.wait(fate.afterMs)
  reply.header('content-type', 'application/json;charset=UTF-8')
  reply.header('x-mbx-used-weight', String(desk.limits.weightOf(address, desk.venue.nowMs())))
  reply.header('x-mbx-used-weight-1m', String(desk.limits.weightOf(address, desk.venue.nowMs())))
  if (operation.orders !== undefined) addOrderCount(desk, request, reply)
  return reply.send(body)
}

function cutOff(request: WebRequest, reply: WebReply): WebReply {
  reply.hijack()
  request.raw.socket.destroy()
  return reply
}

function addOrderCount(desk: Desk, request: WebRequest, reply: WebReply): void {
  const apiKey = request.raw.headers['x-mbx-apikey']
  const key = typeof apiKey === 'string' && apiKey.length <= 128 ? desk.keys.find(apiKey) : undefined
  if (key)
    reply.header('x-mbx-order-count-10s', String(desk.limits.ordersOf(key.account, desk.venue.nowMs())))
}

/** Parameters of the query and the body, and what of them is signed: both without the signature. */
function readRequest(request: WebRequest): { params: Params; payload: string } {
  const at = request.url.indexOf('?')
  const query = at < 0 ? '' : request.url.slice(at + 1)
  if (query.length > queryMax) throw new ApiError(-1101, 'Too many parameters sent for this endpoint.')
  const body = typeof request.body === 'string' ? request.body : ''
  const values = new Map<string, string>()
  readForm(query, values, true)
  readForm(body, values, false)
  return { params: new Params(values), payload: withoutSignature(query) + withoutSignature(body) }
}

function withoutSignature(form: string): string {
  if (!form.includes('signature=')) return form
  return form
    .split('&')
    .filter((part) => !part.startsWith('signature='))
    .join('&')
}

function isMilliseconds(request: WebRequest): boolean {
  return String(request.raw.headers['x-mbx-time-unit']).toUpperCase() === 'MILLISECOND'
}

function badTimeUnit(): ApiError {
  return new ApiError(-1194, 'Invalid value for time unit; expected MILLISECOND.')
}
