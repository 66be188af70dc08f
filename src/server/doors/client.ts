import { DelayLine } from '../faults/delays.js'
import type { FaultInjector } from '../faults/injector.js'
import type { WebSocket } from '../packages.js'

/** Connections over WebSockets, with what they share. */
export interface ClientLimits {
  /** Bytes that may wait for a client; one that lags further is cut. */
  readonly queueBytes: number
  /** Messages of a client in one second; one that sends more is cut. */
  readonly messagesPerSecond: number
}

const pongMs = 60_000
const policyViolation = 1008

/** How connections ended that the server ended, by why. */
export interface CutCounts {
  slow: number
  silent: number
  flooding: number
}

/** One connection over a WebSocket. What is sent waits in memory up to a bound; a client beyond it is cut, and hurts no other. */
export class Client {
  readonly address: string
  readonly #socket: WebSocket
  readonly #limits: ClientLimits
  readonly #cut: CutCounts
  #pongMs = performance.now()
  #second = 0
  #messages = 0
  #closed = false
  #why: keyof CutCounts | undefined
  /** By which its messages have their fates. */
  readonly #name: string
  readonly #faults: FaultInjector
  /** What is sent later on purpose, and how much that is. */
  readonly #line: DelayLine
  #delayedBytes = 0

  constructor(
    socket: WebSocket,
    address: string,
    limits: ClientLimits,
    cut: CutCounts,
    faults: FaultInjector,
    name: string,
  ) {
    this.#faults = faults
    this.#name = name
    this.#line = new DelayLine(faults.delays)
    this.#socket = socket
    this.address = address
    this.#limits = limits
    this.#cut = cut
    socket.on('pong', () => {
      this.#pongMs = performance.now()
      if (!this.#closed) this.#isWithinLimits()
    })
    // Each is answered by itself: who sends many, and reads no answer, would fill the memory with them.
    socket.on('ping', () => {
      if (!this.#closed && this.#isWithinLimits()) this.#cutIfSlow()
    })
    // What breaks a connection also closes it.
    socket.on('error', () => {})
  }

  /** Why the server cut it, if it did. */
  get cut(): keyof CutCounts | undefined {
    return this.#why
  }

  #countCut(why: keyof CutCounts): void {
    this.#why = why
    this.#cut[why]++
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether so little waits for it that more may be sent without haste. */
  get hasRoom(): boolean {
    return this.#socket.bufferedAmount + this.#delayedBytes < this.#limits.queueBytes / 4
  }

  onClose(closed: () => void): void {
    this.#socket.on('close', () => {
      this.#closed = true
      closed()
    })
  }

  /** Calls `take` for each text that comes, unless there are too many of them. */
  onText(take: (text: string) => void): void {
    this.#socket.on('message', (data, isBinary) => {
      if (this.#closed || !this.#isWithinLimits()) return
      if (isBinary) this.close(1003, 'Texts only.')
      else take(data.toString('utf8'))
    })
  }

  /** Sends a text, after everything that was sent before. */
  send(text: string): void {
    if (this.#line.isEmpty) this.#sendNow(text)
    else this.sendLater(text, 0)
  }

  /** Sends a message of a stream: what goes wrong on purpose may befall it. */
  publish(text: string): void {
    const fate = this.#faults.message(this.#name)
    if (!fate) this.send(text)
    else if (fate.fault === 'disconnect') this.terminate()
    else if (fate.fault !== 'gap') this.sendLater(text, fate.delayMs)
  }

  /** Sends a text after so many milliseconds, and after everything that was sent before. */
  sendLater(text: string, delayMs: number): void {
    if (delayMs === 0 && this.#line.isEmpty) {
      this.#sendNow(text)
      return
    }
    if (this.#cutIfSlow()) return
    this.#delayedBytes += text.length
    this.#line.put(delayMs, () => {
      this.#delayedBytes -= text.length
      this.#sendNow(text)
    })
  }

  #sendNow(text: string): void {
    if (this.#closed || this.#socket.readyState !== 1 || this.#cutIfSlow()) return
    this.#socket.send(text)
  }

  /** Whether the client has sent no more than it may in a second; one that did is cut. */
  #isWithinLimits(): boolean {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) this.#messages = 0
    this.#second = second
    if (++this.#messages <= this.#limits.messagesPerSecond) return true
    this.#countCut('flooding')
    this.close(policyViolation, 'Too many messages.')
    return false
  }

  /** Whether too much waits for the client, which is cut then. */
  #cutIfSlow(): boolean {
    if (this.#socket.bufferedAmount + this.#delayedBytes <= this.#limits.queueBytes) return false
    if (!this.#closed) this.#countCut('slow')
    this.#closed = true
    this.#socket.terminate()
    return true
  }

  /** Pings, or ends a connection that has answered no ping for a minute. */
  beat(): void {
    if (performance.now() - this.#pongMs > pongMs) {
      this.#countCut('silent')
      this.#socket.terminate()
    } else this.#socket.ping()
  }

  close(code: number, reason: string): void {
    this.#closed = true
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }
}
