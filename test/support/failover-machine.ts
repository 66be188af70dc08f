import {
  ContiguousPrefix,
  isPassing,
  promote,
  type ReplicatedEntry,
  type ReplicatedLog,
  type ReplicationEpoch,
  ReplicationError,
} from '#tidemark/replication/index.js'
import type { FailoverLife } from './failover-life.js'

const recordBytes = 8
const inFlightMax = 4

/** A machine of the model: a disk, and what runs on it. It uses the promotion that ships; the rest is as little as a primary and a standby can be. */
export class Machine {
  readonly name: string
  role: 'down' | 'standby' | 'promoting' | 'primary' = 'down'
  /** The log on its disk: the number of each command; each takes 8 bytes. */
  disk: number[] = []
  /** The newest epoch whose lineage its disk is known to have: that of its own primary, or the one that it followed. */
  knownEpoch = 0
  /** As a standby: its disk holds nothing that the log does not. */
  isRejoined = false
  /** As a primary: all before it is acknowledged. */
  releasedLsn = 0
  readonly #life: FailoverLife
  /** Rises when what runs is to end. */
  #run = 0
  #log: ReplicatedLog | undefined
  #abort = new AbortController()
  #epoch: ReplicationEpoch | undefined
  #sentLsn = 0
  #inFlight = 0
  #prefix = new ContiguousPrefix(0)

  constructor(name: string, life: FailoverLife) {
    this.name = name
    this.#life = life
  }

  get endLsn(): number {
    return this.disk.length * recordBytes
  }

  /** The process dies; the disk stays, and what is on its way stays on its way. */
  kill(): void {
    this.#run++
    this.role = 'down'
    this.#abort.abort()
    void this.#log?.close()
  }

  /** Begins as a standby: leaves the log as the lineage says, and follows. */
  start(): void {
    const run = this.#begin('standby')
    void this.#life.track(this.#follow(run))
  }

  promote(): void {
    const run = this.#begin('promoting')
    void this.#life.track(this.#promote(run))
  }

  /** As a primary: takes commands, which are on its disk at once. */
  produce(count: number): void {
    for (let i = 0; i < count; i++) this.disk.push(this.#life.nextCommand())
    this.#ship()
  }

  /** As a primary: lets the log begin later. */
  trim(lsn: number): void {
    const run = this.#run
    const [log, epoch] = [this.#log!, this.#epoch!]
    void this.#life.track(this.#settled(run, () => log.trim(epoch, lsn)))
  }

  #begin(role: Machine['role']): number {
    this.kill()
    this.role = role
    this.isRejoined = false
    this.#abort = new AbortController()
    this.#log = this.#life.connect(this.name)
    return this.#run
  }

  async #follow(run: number): Promise<void> {
    const log = this.#log!
    const { signal } = this.#abort
    if (!(await this.#rejoin(run, log))) return
    try {
      for await (const change of log.follow(this.endLsn, { signal })) {
        if (this.#run !== run) return
        if (change.kind === 'entry') this.#keep(change.entry)
        if (change.kind === 'silent') await this.#life.pause()
      }
    } catch (error) {
      if (this.#run !== run) return
      if (codeOf(error) === 'TIDEMARK_STANDBY_BEHIND') this.#seed(run)
      else this.#life.violated(`${this.name} can't follow: ${error}`)
    }
  }

  /**
   * Cuts off what the log does not have: where the first epoch that this disk does not know began and, of a primary that died and that no other one
   * followed, where the log ends.
   */
  async #rejoin(run: number, log: ReplicatedLog): Promise<boolean> {
    // In this order: an epoch puts its lineage before its first entry, so all that the window holds is in the lineage read after it.
    const window = await this.#settled(run, () => log.window())
    const lineage = window && (await this.#settled(run, () => log.lineage()))
    if (!lineage) return false
    for (const { n, firstLsn } of lineage) {
      if (n > this.knownEpoch) this.#cut(firstLsn)
      this.knownEpoch = Math.max(n, this.knownEpoch)
    }
    this.#cut(window.endLsn)
    this.isRejoined = true
    return true
  }

  #cut(lsn: number): void {
    if (lsn >= this.endLsn) return
    this.#life.counts.cuts++
    this.disk.length = lsn / recordBytes
  }

  /** Takes a copy of what a primary has acknowledged, or of another standby. */
  #seed(run: number): void {
    const source = this.#life.seedFor(this)
    if (source) {
      this.disk = source.disk.slice(
        0,
        (source.role === 'primary' ? source.releasedLsn : source.endLsn) / recordBytes,
      )
      this.knownEpoch = source.knownEpoch
      this.#life.counts.seeds++
    }
    void this.#life.pause().then(() => {
      if (this.#run === run) this.start()
    })
  }

  async #promote(run: number): Promise<void> {
    const log = this.#log!
    // A promotion follows a rejoin, as a standby does.
    if (!(await this.#rejoin(run, log))) return
    const owner = `${this.name}-${run}`
    try {
      const { epoch, endLsn } = await promote(log, {
        owner,
        fromLsn: this.endLsn,
        segmentEpoch: BigInt(run),
        keep: (entry) => {
          this.#goOn(run)
          this.#keep(entry)
        },
        sync: () => this.#goOn(run),
        again: async () => {
          await this.#life.pause()
          this.#goOn(run)
        },
      })
      if (this.#run !== run) return
      this.#life.won(epoch, this.name, endLsn)
      this.#lead(epoch, endLsn)
    } catch (error) {
      if (this.#run !== run) return
      const code = codeOf(error)
      if (code === 'TIDEMARK_FENCED') {
        this.#life.counts.lost++
        this.start()
      } else if (code === 'TIDEMARK_STANDBY_BEHIND') this.#seed(run)
      else this.#life.violated(`${this.name} can't be promoted: ${error}`)
    }
  }

  #goOn(run: number): void {
    if (this.#run !== run) throw new Error('killed')
  }

  #keep({ startLsn, bytes }: ReplicatedEntry): void {
    for (let i = 0; i < bytes.length / recordBytes; i++) {
      const at = startLsn / recordBytes + i
      const command = bytes.readUInt32LE(i * recordBytes)
      if (at > this.disk.length) this.#life.violated(`${this.name} got a gap at ${startLsn}`)
      if (at === this.disk.length) this.disk.push(command)
      else if (this.disk[at] !== command)
        this.#life.violated(`${this.name} has ${this.disk[at]} where the log has ${command}`)
    }
  }

  #lead(epoch: ReplicationEpoch, endLsn: number): void {
    this.role = 'primary'
    this.#epoch = epoch
    this.knownEpoch = epoch.n
    if (endLsn !== this.endLsn)
      this.#life.violated(`${this.name} leads from ${endLsn} and ends at ${this.endLsn}`)
    this.#sentLsn = endLsn
    this.releasedLsn = endLsn
    this.#inFlight = 0
    this.#prefix = new ContiguousPrefix(endLsn)
    if (this.#life.holds) void this.#life.track(this.#settled(this.#run, () => this.#log!.hold(epoch, 1000)))
    this.#ship()
  }

  /** Sends entries of a few commands, several at once. */
  #ship(): void {
    while (this.role === 'primary' && this.#inFlight < inFlightMax && this.#sentLsn < this.endLsn) {
      const from = this.#sentLsn / recordBytes
      const commands = this.disk.slice(from, from + 1 + this.#life.random.int(3))
      const bytes = Buffer.alloc(commands.length * recordBytes)
      for (const [i, command] of commands.entries()) bytes.writeUInt32LE(command, i * recordBytes)
      const startLsn = this.#sentLsn
      this.#sentLsn += bytes.length
      this.#inFlight++
      void this.#life.track(this.#append(this.#run, startLsn, bytes))
    }
  }

  async #append(run: number, startLsn: number, bytes: Buffer): Promise<void> {
    const [log, epoch] = [this.#log!, this.#epoch!]
    const done = await this.#settled(run, () => log.append(epoch, { startLsn, bytes }).then(() => true))
    if (!done) return
    this.#inFlight--
    const released = this.#prefix.add(startLsn, startLsn + bytes.length)
    for (; this.releasedLsn < released; this.releasedLsn += recordBytes)
      this.#life.acknowledge(this.releasedLsn, this.disk[this.releasedLsn / recordBytes]!, epoch.n)
    this.#ship()
  }

  /** Makes a call until it is answered; undefined when this run has ended, be it that another primary took over. */
  async #settled<T>(run: number, call: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        const value = await call()
        return this.#run === run ? value : undefined
      } catch (error) {
        if (this.#run !== run) return undefined
        if (codeOf(error) === 'TIDEMARK_FENCED') {
          this.#life.counts.deposed++
          this.start()
          return undefined
        }
        if (!isPassing(error)) {
          this.#life.violated(`${this.name} is refused: ${error}`)
          return undefined
        }
      }
      await this.#life.pause()
      if (this.#run !== run) return undefined
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof ReplicationError ? error.code : undefined
}
