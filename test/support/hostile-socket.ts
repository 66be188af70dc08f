import * as net from 'node:net'

/** A connection that sends whatever bytes it is given, and notes what comes back. */
export class HostileSocket {
  readonly socket: net.Socket
  readonly #parts: Buffer[] = []
  #isClosed = false
  #waiting: (() => void)[] = []

  static open(url: string): Promise<HostileSocket> {
    const { hostname, port } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = net.connect(Number(port), hostname)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new HostileSocket(socket))
      })
    })
  }

  /** A connection over a WebSocket; what it reads after is frames. */
  static async upgraded(url: string, path: string): Promise<HostileSocket> {
    const socket = await HostileSocket.open(url)
    socket.send(upgradeOf(path))
    await socket.received((text) => text.includes('\r\n\r\n'))
    if (!socket.text.startsWith('HTTP/1.1 101')) throw new Error(socket.text.split('\r\n', 1)[0])
    socket.#parts.length = 0
    return socket
  }

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#parts.push(bytes)
      this.#notify()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#isClosed = true
      this.#notify()
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  get text(): string {
    return this.bytes.toString('latin1')
  }

  /** The status and the code of the first answer. */
  get answer(): { status: number; code: number | undefined } {
    const { text } = this
    const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)
    const code = /"code":(-?\d+)/.exec(text)?.[1]
    return { status, code: code === undefined ? undefined : Number(code) }
  }

  /** The code with which a WebSocket was closed; 1006 when it was without one. */
  get closeCode(): number {
    const { bytes } = this
    for (let at = 0; at + 2 <= bytes.length; ) {
      const short = bytes[at + 1]! & 127
      const header = short === 126 ? 4 : short === 127 ? 10 : 2
      if (at + header > bytes.length) break
      const length =
        short === 126
          ? bytes.readUInt16BE(at + 2)
          : short === 127
            ? Number(bytes.readBigUInt64BE(at + 2))
            : short
      if ((bytes[at]! & 15) === 8 && length >= 2 && at + header + 2 <= bytes.length)
        return bytes.readUInt16BE(at + header)
      at += header + length
    }
    return 1006
  }

  send(data: string | Buffer): void {
    if (!this.#isClosed) this.socket.write(data)
  }

  /** Resolves when `test` holds for the text that came, or the connection is closed. */
  async received(test: (text: string) => boolean): Promise<void> {
    while (!this.#isClosed && !test(this.text)) await new Promise<void>((done) => this.#waiting.push(done))
  }

  async whenClosed(): Promise<void> {
    while (!this.#isClosed) await new Promise<void>((done) => this.#waiting.push(done))
  }

  destroy(): void {
    this.socket.destroy()
  }

  #notify(): void {
    for (const done of this.#waiting.splice(0)) done()
  }
}

export function upgradeOf(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
}

interface FrameBits {
  readonly isLast?: boolean
  readonly reserved?: number
  readonly isMasked?: boolean
  /** The length that the header says, if it is another than that of the payload. */
  readonly length?: bigint
}

/** A frame of a client, as RFC 6455 has it; the mask is zero, which leaves the payload as it is. */
export function frame(opcode: number, payload: Buffer | string = '', bits: FrameBits = {}): Buffer {
  const { isLast = true, reserved = 0, isMasked = true, length } = bits
  const body = Buffer.from(payload)
  const said = length ?? BigInt(body.length)
  const header = Buffer.alloc(said < 126n ? 2 : said < 65_536n ? 4 : 10)
  header[0] = (isLast ? 128 : 0) | (reserved << 4) | opcode
  const mask = isMasked ? 128 : 0
  if (said < 126n) header[1] = mask | Number(said)
  else if (said < 65_536n) {
    header[1] = mask | 126
    header.writeUInt16BE(Number(said), 2)
  } else {
    header[1] = mask | 127
    header.writeBigUInt64BE(said, 2)
  }
  return Buffer.concat([header, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), body])
}
