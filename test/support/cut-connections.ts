import * as net from 'node:net'
import { onTestFinished } from 'vitest'

/** Stands between clients and a server, and ends their connections on demand. */
export class Between {
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  /** What the server says is not passed on while this is set: requests are executed, and no client hears of it. */
  isDeaf = false

  /** Passes connections on to the server at `url`, and is closed when the test is over. */
  static async open(url: string): Promise<Between> {
    const between = new Between(Number(new URL(url).port))
    await new Promise<void>((resolve) => between.#server.listen(0, '127.0.0.1', resolve))
    onTestFinished(async () => {
      between.cut()
      await new Promise((resolve) => between.#server.close(resolve))
    })
    return between
  }

  private constructor(port: number) {
    this.#server = net.createServer((client) => {
      const server = net.connect(port, '127.0.0.1')
      client.on('data', (bytes) => server.write(bytes))
      server.on('data', (bytes) => {
        if (!this.isDeaf) client.write(bytes)
      })
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.#sockets.delete(socket)
          other.destroy()
        })
      }
    })
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
