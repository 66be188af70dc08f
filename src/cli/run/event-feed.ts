import type { EnginePool, PoolEvent } from '../../pool/index.js'

/** Something that takes every durable event, in LSN order. */
export interface EventSink {
  event(event: PoolEvent): void
  /** All that is durable for now has been delivered. */
  delivered?(): void
  /** No more events; the sink writes out what it holds. */
  end(): void
}

/** Writes an event's line into a file. */
export interface LineWriter {
  write(text: string): void
  flush?(): void
  close(): void
}

export function lineSink(file: LineWriter, line: (event: PoolEvent) => string | undefined): EventSink {
  return {
    event(event) {
      const text = line(event)
      if (text !== undefined) file.write(`${text}\n`)
    },
    delivered: () => file.flush?.(),
    end: () => file.close(),
  }
}

/** Carries a pool's durable events to sinks while the pool runs. */
export class EventFeed {
  readonly #pool: EnginePool
  readonly #sinks: readonly EventSink[]
  #at: number
  #end: number | undefined
  #moved: () => void = () => {}

  /** `from`: the LSN after which to begin. */
  constructor(pool: EnginePool, sinks: readonly EventSink[], from: number) {
    this.#pool = pool
    this.#sinks = sinks
    this.#at = from
  }

  /** Called when the durable LSN may have moved: there may be more to deliver. */
  wake(): void {
    this.#moved()
  }

  /** Lets `run` return when everything up to `lsn` has been delivered. */
  finish(lsn: number): void {
    this.#end = lsn
    this.#moved()
  }

  /** Delivers until `finish`. Does nothing when there are no sinks. */
  async run(): Promise<void> {
    if (this.#sinks.length === 0) return
    while (this.#end === undefined || this.#at < this.#end) {
      const durable = this.#pool.durableLsn
      if (durable > this.#at) {
        await this.#deliver(durable)
      } else {
        await new Promise<void>((resolve) => {
          this.#moved = resolve
        })
      }
    }
    for (const sink of this.#sinks) sink.end()
  }

  async #deliver(to: number): Promise<void> {
    for await (const event of this.#pool.subscribe({ from: this.#at, to })) {
      for (const sink of this.#sinks) sink.event(event)
    }
    this.#at = to
    for (const sink of this.#sinks) sink.delivered?.()
  }
}
