import { createHmac, timingSafeEqual, verify } from 'node:crypto'
import { errors } from '../dialect/api-error.js'
import type { Params } from '../dialect/params.js'
import { type ApiKey, type KeyStore, plainAddress } from './keys.js'

/** How long a signed request is valid at most, and unless it says so, in milliseconds. */
const recvWindowMax = 60_000
const recvWindowDefault = 5000
const aheadMs = 1000
const windowPattern = /^[0-9]{1,5}(\.[0-9]{1,3})?$/
/** A signature in base64 or hexadecimal digits. */
const signatureMax = 512

/** What an operation asks of its caller. */
export type Security = 'none' | 'key' | 'read' | 'trade'

/** @throws ApiError -2014, -2015: no such key, another address, or not enough permission. */
export function requireKey(
  keys: KeyStore,
  apiKey: string | undefined,
  address: string,
  security: Security,
): ApiKey {
  if (apiKey === undefined || apiKey === '' || apiKey.length > 128) throw errors.keyFormat()
  const key = keys.find(apiKey)
  if (!key) throw errors.badKey()
  if (key.ips.length > 0 && !key.ips.includes(plainAddress(address))) throw errors.badKey()
  if (security === 'trade' && key.permission !== 'trade') throw errors.badKey()
  return key
}

/** @throws ApiError -1022 for a signature that does not fit what was signed, -1102 for none. */
export function checkSignature(
  keys: KeyStore,
  key: ApiKey,
  payload: string,
  signature: string | undefined,
): void {
  if (signature === undefined || signature === '') throw errors.missing('signature')
  if (signature.length > signatureMax) throw errors.badSignature()
  const isRight =
    key.secret === undefined
      ? isSignedByHolder(keys, key, payload, signature)
      : isSignedWith(key.secret, payload, signature)
  if (!isRight) throw errors.badSignature()
}

function isSignedWith(secret: string, payload: string, signature: string): boolean {
  const expected = createHmac('sha256', secret).update(payload).digest()
  const given = Buffer.from(signature, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function isSignedByHolder(keys: KeyStore, key: ApiKey, payload: string, signature: string): boolean {
  const publicKey = keys.publicKeyOf(key)
  if (!publicKey) return false
  return verify(undefined, Buffer.from(payload), publicKey, Buffer.from(signature, 'base64'))
}

/** @throws ApiError -1021 for a request that is too old or from the future, -1102 for one without a timestamp. */
export function checkTime(params: Params, nowMs: number): void {
  params.required('timestamp')
  const timestamp = params.timeMs('timestamp')!
  const text = params.text('recvWindow')
  if (text !== undefined && !windowPattern.test(text))
    throw errors.malformed('recvWindow', windowPattern.source)
  const recvWindow = text === undefined ? recvWindowDefault : Number(text)
  if (recvWindow > recvWindowMax) throw errors.badValue('recvWindow')
  if (timestamp >= nowMs + aheadMs) throw errors.early()
  if (nowMs - timestamp > recvWindow) throw errors.late()
}
