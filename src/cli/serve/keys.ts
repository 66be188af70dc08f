import * as fs from 'node:fs'
import * as path from 'node:path'
import { makeFolder, NodeDisk } from '../../log/index.js'
import { type ApiKey, KeyStore } from '../../server/index.js'
import { inputFailure } from '../failure.js'

interface CreateFlags {
  readonly account: number
  readonly readOnly?: boolean
  readonly ip?: string[]
  readonly label?: string
  readonly publicKey?: string
  readonly json?: boolean
}

/** The file of the keys of a pool. */
export function keyFileOf(dir: string): string {
  return path.join(dir, 'keys.json')
}

export function createKey(dir: string, flags: CreateFlags): void {
  makeFolder(new NodeDisk(), path.resolve(dir))
  const { account, readOnly, ip, label, publicKey } = flags
  const key = new KeyStore(keyFileOf(dir)).create({
    account,
    permission: readOnly ? 'read' : 'trade',
    ...(ip && { ips: ip }),
    ...(label !== undefined && { label }),
    ...(publicKey !== undefined && { publicKey: readPem(publicKey) }),
  })
  if (flags.json) {
    const { apiKey, secret } = key
    process.stdout.write(`${JSON.stringify({ apiKey, ...(secret !== undefined && { secret }), account })}\n`)
    return
  }
  process.stdout.write(`API key  ${key.apiKey}\n`)
  if (key.secret !== undefined) process.stdout.write(`Secret   ${key.secret}\n`)
}

export function listKeys(dir: string, { json }: { readonly json?: boolean }): void {
  for (const key of new KeyStore(keyFileOf(dir)).list())
    process.stdout.write(`${json ? JSON.stringify(shown(key)) : lineOf(key)}\n`)
}

export function revokeKey(dir: string, name: string, { json }: { readonly json?: boolean }): void {
  const { apiKey } = new KeyStore(keyFileOf(dir)).revoke(name)
  process.stdout.write(`${json ? JSON.stringify({ revoked: apiKey }) : `Revoked ${apiKey}`}\n`)
}

/** A key without what it signs with. */
function shown({ secret, publicKey, ...key }: ApiKey): object {
  return { ...key, signature: secret === undefined ? 'ed25519' : 'hmac-sha256' }
}

function lineOf({ apiKey, account, permission, ips, label, secret }: ApiKey): string {
  const fields = [apiKey, `account ${account}`, permission, secret === undefined ? 'ed25519' : 'hmac']
  if (ips.length > 0) fields.push(`from ${ips.join(' ')}`)
  if (label !== '') fields.push(label)
  return fields.join('  ')
}

function readPem(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    throw inputFailure(`${file} could not be read.`, error)
  }
}
