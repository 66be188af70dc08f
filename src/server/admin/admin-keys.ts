import { hashOf, randomText } from '../access/keys.js'
import { keyFailure, PrivateFile } from '../access/private-file.js'
import { ServerError } from '../errors.js'

/** A person or program that may administer a venue. */
export interface AdminKey {
  /** Who it is: 1 to 64 letters, digits, `.`, `_`, `@` and `-`. */
  readonly name: string
  /** When it was made, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdMs: number
}

interface StoredKey extends AdminKey {
  /** SHA-256 of the key. It has 64 random characters, so they can't be found from the hash. */
  readonly hash: string
}

interface AdminFile {
  readonly version: 1
  readonly adminKeys: readonly StoredKey[]
}

const namePattern = /^[A-Za-z0-9._@-]{1,64}$/
const keysMax = 1000

/** The keys of those who administer a venue, in a file of mode 600 that holds hashes of them and nothing that one could use. */
export class AdminKeys {
  /** The file of the keys. */
  readonly file: string
  readonly #private: PrivateFile
  #byHash = new Map<string, StoredKey>()
  /** Called when the file changed to what a server can't use: it keeps the keys that it has. */
  onFailure: (error: unknown) => void = () => {}

  /** @throws ServerError `TIDEMARK_SERVER_KEY_FILE` for a file that is no file of admin keys, or that others can read. */
  constructor(file: string) {
    this.file = file
    this.#private = new PrivateFile(file, (value) => this.#take(value))
    this.#private.read()
  }

  /** How many there are, as of a second ago at most. */
  get size(): number {
    this.#private.look(this.onFailure)
    return this.#byHash.size
  }

  /** All keys of the file. */
  list(): AdminKey[] {
    this.#private.read()
    return [...this.#byHash.values()].map(({ name, createdMs }) => ({ name, createdMs }))
  }

  /**
   * Makes a key for a name and returns it; it is not shown again.
   *
   * @throws ServerError `TIDEMARK_SERVER_KEY_FILE` for a name that is taken or not allowed; LogError `TIDEMARK_LOG_IO`.
   */
  create(name: string): string {
    this.#private.read()
    const keys = [...this.#byHash.values()]
    if (!namePattern.test(name))
      throw keyFailure('A name has 1 to 64 letters, digits, ".", "_", "@" and "-".', { name })
    if (keys.some((key) => key.name === name)) throw keyFailure(`${name} has an admin key already.`, { name })
    if (keys.length >= keysMax) throw keyFailure(`A file holds at most ${keysMax} admin keys.`, {})
    const key = randomText()
    this.#write([...keys, { name, createdMs: Date.now(), hash: hashOf(key) }])
    return key
  }

  /** Ends a key. @throws ServerError `TIDEMARK_SERVER_UNKNOWN_KEY`. */
  revoke(name: string): void {
    this.#private.read()
    const keys = [...this.#byHash.values()]
    const left = keys.filter((key) => key.name !== name)
    if (left.length === keys.length)
      throw new ServerError('TIDEMARK_SERVER_UNKNOWN_KEY', `${name} has no admin key.`, { name })
    this.#write(left)
  }

  /** Whose a key is. It is found by its hash, so the time that takes says nothing of how much of it was right. */
  nameOf(key: string): string | undefined {
    this.#private.look(this.onFailure)
    return this.#byHash.get(hashOf(key))?.name
  }

  #take(value: unknown): void {
    const { version, adminKeys } = (value ?? { version: 1, adminKeys: [] }) as AdminFile
    if (version !== 1 || !Array.isArray(adminKeys) || !adminKeys.every(isStoredKey))
      throw keyFailure(`${this.file} is no file of admin keys.`, {})
    this.#byHash = new Map(adminKeys.map((key) => [key.hash, key]))
  }

  #write(adminKeys: readonly StoredKey[]): void {
    this.#private.write({ version: 1, adminKeys } satisfies AdminFile)
    this.#private.read()
  }
}

function isStoredKey(value: unknown): value is StoredKey {
  const { name, hash, createdMs } = (value ?? {}) as Record<string, unknown>
  return typeof name === 'string' && typeof hash === 'string' && Number.isSafeInteger(createdMs)
}
