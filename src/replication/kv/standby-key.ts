import { randomUUID } from 'node:crypto'
import { ReplicationError } from '../../log/thread.js'
import { decodeStandby, encodeJson, type PoolKeys } from './keys.js'
import type { Kv } from './kv.js'
import { withPatience } from './patience.js'

/** The key of one standby: it changes it only as long as it is its own. */
export class StandbyKey {
  readonly #kv: Kv
  readonly #key: string
  readonly #name: string
  readonly #owner = randomUUID()
  /** At which the key was put last by this one; 0 for a key that is not there. */
  #revision = 0
  #lsn: number
  #putLsn = -1

  constructor(kv: Kv, keys: PoolKeys, name: string, lsn: number) {
    this.#kv = kv
    this.#key = keys.standby(name)
    this.#name = name
    this.#lsn = lsn
  }

  set lsn(lsn: number) {
    this.#lsn = lsn
  }

  /** @throws ReplicationError `TIDEMARK_REPLICATION_NAME_IN_USE`. */
  async put(lease: string, isNew: boolean): Promise<void> {
    const lsn = this.#lsn
    if (!isNew && lsn === this.#putLsn) return
    const value = encodeJson({ name: this.#name, lsn, owner: this.#owner })
    while (!(await withPatience(this.#kv, () => this.#attempt(lease, value)))) {}
    this.#putLsn = lsn
  }

  /** Returns false when the key was not as this one knew it, and now is. */
  async #attempt(lease: string, value: Buffer): Promise<boolean> {
    const key = this.#key
    const reply = await this.#kv.transact({
      compare: [{ key, revision: this.#revision }],
      success: [{ kind: 'put', key, value, lease }],
      failure: [{ kind: 'range', from: key }],
    })
    if (reply.succeeded) {
      this.#revision = reply.revision
      return true
    }
    const found = reply.results[0]!.keys[0]
    if (found && decodeStandby(found).owner !== this.#owner) {
      throw new ReplicationError(
        'TIDEMARK_REPLICATION_NAME_IN_USE',
        `Another standby of ${this.#kv.name} has the name ${this.#name}. Give each standby a name of its own.`,
        { name: this.#name },
      )
    }
    this.#revision = found?.revision ?? 0
    return false
  }
}
