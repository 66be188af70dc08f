import type { AcceptedEvent } from '../../pool/index.js'
import { isOpen, type ListRecord, type OrderRecord } from './order-record.js'

/** One order triggers others, or they only cancel each other. */
export function contingencyOf(list: ListRecord): 'OCO' | 'OTO' {
  return list.orders.some(({ isPendingLeg }) => isPendingLeg) ? 'OTO' : 'OCO'
}

export function isDone(list: ListRecord): boolean {
  return !list.orders.some(isOpen)
}

interface AccountLists {
  readonly byId: Map<number, ListRecord>
  /** The last list that had a name of the client's. */
  readonly byName: Map<string, ListRecord>
}

const ownName = /^list-([1-9][0-9]{0,15})$/

/** The lists of the accounts. The name that a client gave one stands in the log; one without is called by its id. */
export class OrderLists {
  readonly #accounts = new Map<number, AccountLists>()
  /** Names of lists that were sent and are not in the log yet, by id. */
  readonly #sent = new Map<number, { readonly account: number; readonly name: string }>()
  readonly #changed = new Set<ListRecord>()
  #highestId = 0

  /**
   * An id for a new list, whose name is taken from now on. Returns `undefined` when a list of the account that is not done has the name.
   */
  begin(account: number, name: string | undefined): number | undefined {
    if (name !== undefined) {
      const other = this.findByName(account, name)
      if (other && !isDone(other)) return undefined
      for (const sent of this.#sent.values())
        if (sent.account === account && sent.name === name) return undefined
    }
    const listId = ++this.#highestId
    if (name !== undefined) this.#sent.set(listId, { account, name })
    return listId
  }

  /** A list that `begin` gave an id is in the log, or will not be. */
  end(listId: number): void {
    this.#sent.delete(listId)
  }

  /** Notes an order that was accepted as one of a list. */
  add(event: AcceptedEvent, order: OrderRecord): ListRecord {
    const listId = event.listId!
    const lists = this.#of(event.account)
    let list = lists.byId.get(listId)
    // The program that the pool belongs to may use an id again.
    if (list?.lsn !== event.lsn || list.symbol !== event.symbol) {
      list = {
        listId,
        symbol: event.symbol,
        account: event.account,
        orders: [],
        kept: 0,
        lsn: event.lsn,
        timeMs: order.timeMs,
        clientName: event.clientListId,
        name: event.clientListId ?? `list-${listId}`,
        cancelledLsn: -1,
        isReported: false,
      }
      lists.byId.set(listId, list)
      if (list.clientName !== undefined) lists.byName.set(list.clientName, list)
      if (listId > this.#highestId) this.#highestId = listId
    }
    list.orders.push(order)
    list.kept++
    this.#changed.add(list)
    return list
  }

  /** Notes that something happened to an order of a list. */
  touch(list: ListRecord): void {
    this.#changed.add(list)
  }

  /** The lists to which something happened since the last call. */
  takeChanged(): readonly ListRecord[] {
    if (this.#changed.size === 0) return []
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  find(account: number, listId: number): ListRecord | undefined {
    return this.#accounts.get(account)?.byId.get(listId)
  }

  /** The last list of an account that had a name. */
  findByName(account: number, name: string): ListRecord | undefined {
    const found = this.#accounts.get(account)?.byName.get(name)
    if (found) return found
    const own = ownName.exec(name)
    const list = own ? this.find(account, Number(own[1])) : undefined
    return list?.name === name ? list : undefined
  }

  /** The lists of an account, by id. */
  all(account: number): ListRecord[] {
    return [...(this.#accounts.get(account)?.byId.values() ?? [])].sort((a, b) => a.listId - b.listId)
  }

  /** Forgets a list of whose orders the last one is forgotten. */
  forget(list: ListRecord): void {
    const lists = this.#accounts.get(list.account)
    if (!lists) return
    if (lists.byId.get(list.listId) === list) lists.byId.delete(list.listId)
    const { clientName } = list
    if (clientName !== undefined && lists.byName.get(clientName) === list) lists.byName.delete(clientName)
    if (lists.byId.size === 0) this.#accounts.delete(list.account)
  }

  #of(account: number): AccountLists {
    let lists = this.#accounts.get(account)
    if (!lists) this.#accounts.set(account, (lists = { byId: new Map(), byName: new Map() }))
    return lists
  }
}
