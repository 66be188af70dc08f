import { createHash, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { ServerError } from '../errors.js'
import { keyFailure, PrivateFile } from './private-file.js'

/** What a key may do: `trade` places and cancels orders and reads, `read` only reads its account. */
export type KeyPermission = 'trade' | 'read'

/** A key as its file holds it. */
export interface ApiKey {
  /** What the client sends: 64 characters. */
  readonly apiKey: string
  /** The account that it acts for. */
  readonly account: number
  /** What it may do. */
  readonly permission: KeyPermission
  /** Addresses that it may be used from; of any when there is none. */
  readonly ips: readonly string[]
  /** The operator's own text. */
  readonly label: string
  /** When it was made, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdMs: number
  /** Of an HMAC key, what requests are signed with. A signature is checked with the secret itself, so no hash of it would do. */
  readonly secret?: string
  /** Of an Ed25519 key, its public half in PEM; the client alone has the other one. */
  readonly publicKey?: string
}

/** What a key is made with. */
export interface NewKey {
  /** The account that it acts for. */
  readonly account: number
  /** What it may do; `trade` unless stated. */
  readonly permission?: KeyPermission
  /** From these addresses only; from everywhere unless stated. */
  readonly ips?: readonly string[]
  /** The operator's own text. */
  readonly label?: string
  /** PEM of an Ed25519 public key, for a key that is signed with Ed25519. */
  readonly publicKey?: string
}

interface KeyFile {
  readonly version: 1
  readonly keys: readonly ApiKey[]
}

/** Keys that a file may hold. */
const keysMax = 100_000
const accountMax = 2 ** 32 - 1

/** The keys of a venue, in a file of mode 600 that is written anew as a whole, and read again when it changed. */
export class KeyStore {
  /** The file of the keys. */
  readonly file: string
  readonly #private: PrivateFile
  #keys = new Map<string, ApiKey>()
  #publicKeys = new Map<string, KeyObject>()
  /** Called when the file changed to what `find` can't use: it keeps the keys that it has. */
  onFailure: (error: unknown) => void = () => {}

  /** @throws ServerError `TIDEMARK_SERVER_KEY_FILE` for a file that is no key file, or that others can read. */
  constructor(file: string) {
    this.file = file
    this.#private = new PrivateFile(file, (value) => this.#take(value))
    this.#private.read()
  }

  /** All keys of the file, read anew. */
  list(): ApiKey[] {
    this.#private.read()
    return [...this.#keys.values()]
  }

  /** How many keys there are. */
  get size(): number {
    return this.#keys.size
  }

  /**
   * Makes a key. What it returns holds the secret of an HMAC key, which is not shown again.
   *
   * @throws ServerError `TIDEMARK_SERVER_KEY_FILE` for values that a key can't have; LogError `TIDEMARK_LOG_IO`.
   */
  create(key: NewKey): ApiKey {
    this.#private.read()
    const { account, permission = 'trade', ips = [], label = '', publicKey } = key
    if (!isAccount(account))
      throw keyFailure(`account must be a whole number from 0 to ${accountMax}.`, { account })
    if (this.#keys.size >= keysMax) throw keyFailure(`A key file holds at most ${keysMax} keys.`, {})
    const made: ApiKey = {
      apiKey: randomText(),
      account,
      permission,
      ips: ips.map(plainAddress),
      label,
      createdMs: Date.now(),
      ...(publicKey === undefined ? { secret: randomText() } : { publicKey: readPublicKey(publicKey) }),
    }
    this.#write([...this.#keys.values(), made])
    return made
  }

  /** Removes a key, by itself or by its first characters if no other begins like that. @throws ServerError `TIDEMARK_SERVER_UNKNOWN_KEY`. */
  revoke(name: string): ApiKey {
    this.#private.read()
    const found = [...this.#keys.values()].filter(({ apiKey }) => name.length >= 6 && apiKey.startsWith(name))
    if (found.length !== 1) {
      throw new ServerError(
        'TIDEMARK_SERVER_UNKNOWN_KEY',
        found.length === 0
          ? `There is no key that begins with ${name}; give 6 characters or more of it.`
          : `${found.length} keys begin with ${name}; give more of it.`,
        { name },
      )
    }
    this.#write([...this.#keys.values()].filter((key) => key !== found[0]))
    return found[0]!
  }

  /** Puts the same keys into another file, of mode 600. @throws ServerError, LogError as `create`. */
  copyTo(file: string): void {
    new KeyStore(file).#write(this.list())
  }

  /**
   * The key that a client names. It is looked up by its hash, so that the time that takes says nothing of how much of it
   * was right. The file is looked at again once a second.
   */
  find(apiKey: string): ApiKey | undefined {
    this.#private.look(this.onFailure)
    return this.#byHash.get(hashOf(apiKey))
  }

  #byHash = new Map<string, ApiKey>()

  /** The public key of an Ed25519 key; undefined for an HMAC key. */
  publicKeyOf(key: ApiKey): KeyObject | undefined {
    return this.#publicKeys.get(key.apiKey)
  }

  #take(value: unknown): void {
    const { version, keys } = (value ?? { version: 1, keys: [] }) as KeyFile
    if (version !== 1 || !Array.isArray(keys) || !keys.every(isKey))
      throw keyFailure(`${this.file} is no file of keys.`, {})
    const publicKeys = new Map<string, KeyObject>()
    for (const { apiKey, publicKey } of keys)
      if (publicKey !== undefined) publicKeys.set(apiKey, createPublicKey(readPublicKey(publicKey)))
    this.#keys = new Map(keys.map((key) => [key.apiKey, key]))
    this.#byHash = new Map(keys.map((key) => [hashOf(key.apiKey), key]))
    this.#publicKeys = publicKeys
  }

  #write(keys: readonly ApiKey[]): void {
    this.#private.write({ version: 1, keys } satisfies KeyFile)
    this.#private.read()
  }
}

function isAccount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= accountMax
}

/** Whether an entry of the file is a key: what was written by hand may be anything. */
function isKey(value: unknown): value is ApiKey {
  if (typeof value !== 'object' || value === null) return false
  const { apiKey, account, permission, ips, secret, publicKey } = value as Record<string, unknown>
  return (
    typeof apiKey === 'string' &&
    isAccount(account) &&
    (permission === 'trade' || permission === 'read') &&
    Array.isArray(ips) &&
    ips.every((address) => typeof address === 'string') &&
    typeof (secret ?? publicKey) === 'string' &&
    (secret === undefined || publicKey === undefined)
  )
}

/** An address without the form in which an IPv6 socket names an IPv4 one. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

/** 64 letters and digits. */
export function randomText(): string {
  let text = ''
  while (text.length < 64)
    text += randomBytes(64)
      .toString('base64')
      .replaceAll(/[^A-Za-z0-9]/g, '')
  return text.slice(0, 64)
}

function readPublicKey(pem: string): string {
  try {
    const key = createPublicKey(pem)
    if (key.asymmetricKeyType === 'ed25519') return key.export({ type: 'spki', format: 'pem' }) as string
  } catch {}
  throw keyFailure('The public key must be an Ed25519 key in PEM.', {})
}
