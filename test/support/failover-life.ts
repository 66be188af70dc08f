import type { Clock } from '#tidemark/base/clock.js'
import type { ReplicatedLog, ReplicationEpoch } from '#tidemark/replication/index.js'
import { MemoryCluster } from '#tidemark/replication/memory/index.js'
import { Machine } from './failover-machine.js'
import { FaultyNetwork, noFaults } from './faulty-network.js'
import { Random } from './random.js'

const pool = 'model'
const recordBytes = 8
/** More than any life needs to come to rest once nothing goes wrong any more. */
const stepsToRestMax = 20_000

/** What happened in a life. */
export interface LifeReport {
  readonly violations: readonly string[]
  readonly acknowledged: number
  readonly promotions: number
  readonly counts: Readonly<Record<string, number>>
}

/**
 * One life of three machines and a replicated log, as a seed has it: machines are killed, cut off, promoted, two at once; messages are lost, repeated and
 * reordered. At the end all heals, and everything acknowledged must be in the log, once, and on every disk.
 */
export class FailoverLife {
  readonly random: Random
  readonly counts = { kills: 0, partitions: 0, cuts: 0, seeds: 0, lost: 0, deposed: 0, trims: 0 }
  /** Whether primaries of this life hold the lease. */
  readonly holds: boolean
  readonly #machines: Machine[]
  readonly #network: FaultyNetwork
  readonly #cluster: MemoryCluster
  readonly #events: (() => void)[] = []
  readonly #timers = new Set<{ readonly atMs: number; readonly call: () => void }>()
  #nowMs = 0
  #commands = 0
  /** The commands that were acknowledged, by where they stand in the log. */
  readonly #acknowledged = new Map<number, { readonly command: number; readonly n: number }>()
  readonly #winners = new Map<number, { readonly machine: string; readonly endLsn: number }>()
  readonly #violations: string[] = []
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
    this.random = new Random(seed)
    this.holds = this.random.int(4) === 0
    const clock: Clock = {
      nowMs: () => this.#nowMs,
      wallMs: () => this.#nowMs,
      after: (delayMs, call) => {
        const timer = { atMs: this.#nowMs + delayMs, call }
        this.#timers.add(timer)
        return () => this.#timers.delete(timer)
      },
    }
    this.#network = new FaultyNetwork(
      this.random,
      { later: (event) => this.#events.push(event) },
      this.#drawFaults(),
    )
    this.#cluster = new MemoryCluster({ network: this.#network, clock, patienceMs: 0 })
    this.#machines = ['a', 'b', 'c'].map((name) => new Machine(name, this))
  }

  async live(): Promise<LifeReport> {
    this.#machines[0]!.promote()
    for (const machine of this.#machines.slice(1)) machine.start()
    let disturbancesLeft = 3 + this.random.int(8)
    for (let step = 0; disturbancesLeft > 0 && step < 2000; step++) {
      if (this.random.int(12) === 0) this.#produce()
      if (this.random.int(25) === 0) {
        disturbancesLeft--
        this.#disturb()
      }
      await this.#step()
    }
    await this.#rest()
    await this.#verify()
    for (const machine of this.#machines) machine.kill()
    return {
      violations: this.#violations,
      acknowledged: this.#acknowledged.size,
      promotions: this.#winners.size,
      counts: { ...this.counts, ...this.#network.counts },
    }
  }

  // What machines use.

  connect(client: string): ReplicatedLog {
    return this.#cluster.connect(pool, client)
  }

  nextCommand(): number {
    return ++this.#commands
  }

  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#events.push(resolve)
    })
  }

  track(work: Promise<unknown>): Promise<void> {
    return work.then(
      () => {},
      (error: unknown) => this.violated(`something failed that should not: ${(error as Error).stack}`),
    )
  }

  seedFor(machine: Machine): Machine | undefined {
    const others = this.#machines.filter((other) => other !== machine && other.role !== 'down')
    return others.find(({ role }) => role === 'primary') ?? others.sort((x, y) => y.endLsn - x.endLsn)[0]
  }

  /** A primary acknowledges a command: that of epoch `n`. */
  acknowledge(lsn: number, command: number, n: number): void {
    const before = this.#acknowledged.get(lsn)
    if (before !== undefined && before.command !== command)
      this.violated(`${command} is acknowledged at ${lsn}, where ${before.command} was`)
    this.#acknowledged.set(lsn, { command, n })
    for (const [later, { machine, endLsn }] of this.#winners) this.#checkFork(lsn, n, later, machine, endLsn)
  }

  won({ n }: ReplicationEpoch, machine: string, endLsn: number): void {
    const before = this.#winners.get(n)
    if (before !== undefined) this.violated(`${machine} won epoch ${n}, and ${before.machine} did before`)
    this.#winners.set(n, { machine, endLsn })
    for (const [lsn, acknowledged] of this.#acknowledged)
      this.#checkFork(lsn, acknowledged.n, n, machine, endLsn)
  }

  /** Whatever an epoch acknowledges, before or after the next one was taken, is in what the next one begins with. */
  #checkFork(lsn: number, n: number, later: number, machine: string, endLsn: number): void {
    if (later > n && lsn >= endLsn)
      this.violated(`${machine} leads from ${endLsn} in epoch ${later}, and epoch ${n} acknowledged ${lsn}`)
  }

  violated(what: string): void {
    this.#violations.push(`seed ${this.#seed}: ${what}`)
  }

  #drawFaults() {
    const some = (most: number) => (this.random.int(3) === 0 ? 0 : this.random.next() * most)
    return {
      loseRequest: some(0.15),
      loseReply: some(0.2),
      duplicate: some(0.3),
      impatience: some(0.3),
      endWatch: some(0.1),
    }
  }

  #produce(): void {
    for (const machine of this.#machines)
      if (machine.role === 'primary') machine.produce(1 + this.random.int(4))
  }

  #disturb(): void {
    const machine = this.#machines[this.random.int(3)]!
    const kind = this.random.int(6)
    if (kind === 0) {
      this.counts.kills++
      machine.kill()
    } else if (kind === 1) {
      this.counts.partitions++
      const directions = [['to-store'], ['from-store'], ['to-store', 'from-store']] as const
      this.#network.cut(machine.name, ...directions[this.random.int(3)]!)
    } else if (kind === 2) {
      for (const { name } of this.#machines) this.#network.heal(name)
    } else if (kind === 3) {
      this.#trim()
    } else {
      for (const down of this.#machines) if (down.role === 'down') down.start()
      const standbys = this.#machines.filter(({ role }) => role === 'standby')
      // Often two at the same moment.
      for (const standby of standbys.slice(0, 1 + this.random.int(2))) standby.promote()
    }
  }

  /** As far as all have it or, sometimes, further. */
  #trim(): void {
    const primary = this.#machines.find(({ role }) => role === 'primary')
    if (!primary) return
    this.counts.trims++
    const least = Math.min(...this.#machines.map(({ endLsn }) => endLsn))
    primary.trim(this.random.int(2) === 0 ? Math.min(least, primary.releasedLsn) : primary.releasedLsn)
  }

  /** One of the things that can happen next happens, and what follows from it at once. */
  async #step(): Promise<void> {
    const [events, count] = [this.#events, this.#events.length]
    if (count > 0 && this.random.int(20) > 0) {
      const at = this.random.int(count)
      const event = events[at]!
      // Watches have events of their own order, so that which one it is does not matter; the array may change its own.
      events[at] = events[count - 1]!
      events.pop()
      event()
    } else this.#advance()
    await new Promise((resolve) => setImmediate(resolve))
  }

  #advance(): void {
    let next: { readonly atMs: number; readonly call: () => void } | undefined
    for (const timer of this.#timers) if (!next || timer.atMs < next.atMs) next = timer
    if (!next) return
    this.#timers.delete(next)
    this.#nowMs = Math.max(this.#nowMs, next.atMs)
    next.call()
  }

  /** Nothing goes wrong any more: there comes to be one primary, all that it has is acknowledged, and the others have it too. */
  async #rest(): Promise<void> {
    this.#network.faults = noFaults
    for (const { name } of this.#machines) this.#network.heal(name)
    for (const machine of this.#machines) if (machine.role === 'down') machine.start()
    for (let steps = 0; steps < stepsToRestMax && this.#violations.length === 0; steps++) {
      if (this.#events.length === 0 && this.#isAtRest()) return
      const busy = this.#machines.some(({ role }) => role === 'promoting' || role === 'primary')
      if (!busy && this.random.int(50) === 0) this.#machines[this.random.int(3)]!.promote()
      await this.#step()
    }
    if (this.#violations.length === 0)
      this.violated(
        `no rest: ${this.#machines.map(({ name, role, endLsn }) => `${name} ${role} ${endLsn}`).join(', ')}`,
      )
  }

  #isAtRest(): boolean {
    const primaries = this.#machines.filter(({ role }) => role === 'primary')
    const [primary] = primaries
    // A deposed one that is idle does not know it: it learns it when it next appends.
    for (const idle of primaries)
      if (primaries.length > 1 && idle.releasedLsn === idle.endLsn) idle.produce(1)
    return (
      primaries.length === 1 &&
      primary!.releasedLsn === primary!.endLsn &&
      this.#machines.every(
        (machine) =>
          machine === primary ||
          (machine.isRejoined && machine.role === 'standby' && machine.endLsn === primary!.endLsn),
      )
    )
  }

  async #verify(): Promise<void> {
    if (this.#violations.length > 0) return
    const primary = this.#machines.find(({ role }) => role === 'primary')!
    const log = primary.disk
    for (const { name, disk } of this.#machines) {
      if (disk.length !== log.length || disk.some((command, i) => command !== log[i]))
        this.violated(`the log of ${name} is not that of ${primary.name}: ${disk} and ${log}`)
    }
    if (new Set(log).size !== log.length) this.violated('a command is in the log twice')
    for (const [lsn, { command }] of this.#acknowledged)
      if (log[lsn / recordBytes] !== command)
        this.violated(`${command} was acknowledged at ${lsn} and is not there`)
    await this.#verifyStore(log)
  }

  /** The replicated log holds what the disks do, from its window on, and a lineage that only goes forward. */
  async #verifyStore(log: readonly number[]): Promise<void> {
    const reader = this.connect('reader')
    const call = async <T>(promise: Promise<T>): Promise<T> => {
      let value: T | undefined
      void promise.then((settled) => {
        value = settled
      })
      for (let steps = 0; value === undefined && steps < stepsToRestMax; steps++) await this.#step()
      return value!
    }
    const window = await call(reader.window())
    if (window.endLsn !== log.length * recordBytes) this.violated(`the window ends at ${window.endLsn}`)
    const page = await call(reader.read(window.beginLsn, { maxBytes: 1 << 20 }))
    for (const { startLsn, bytes } of page.entries) {
      for (let i = 0; i < bytes.length; i += recordBytes) {
        if (bytes.readUInt32LE(i) !== log[(startLsn + i) / recordBytes])
          this.violated(`the replicated log differs at ${startLsn + i}`)
      }
    }
    const lineage = await call(reader.lineage())
    for (const [i, { n, firstLsn }] of lineage.entries()) {
      const before = lineage[i - 1]
      if (before && (n <= before.n || firstLsn < before.firstLsn))
        this.violated(`the lineage goes back at epoch ${n}`)
    }
  }
}
