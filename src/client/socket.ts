import { createRequire } from 'node:module'
import * as path from 'node:path'
import { ClientError } from './errors.js'

/** What is used of a connection: the part that the package `ws` and Node.js have in common. */
export interface ClientSocket {
  /** 0 while it connects, 1 when it is open, 2 and 3 when it ends. */
  readonly readyState: number
  /** Called when it is open. */
  onopen: ((event: never) => void) | null
  /** Called when it has ended. */
  onclose: ((event: never) => void) | null
  /** Called when it failed. */
  onerror: ((event: never) => void) | null
  /** Called with each message. */
  onmessage: ((event: { readonly data: unknown } & never) => void) | null
  /** Sends a text. */
  send(text: string): void
  /** Ends it. */
  close(): void
  /** Ends it at once; only that of `ws` can. */
  terminate?(): void
}

/** A class of connections. */
export type WebSocketClass = new (url: string) => ClientSocket

/**
 * The class of connections: that of `ws`, from where tidemark is installed or from the folder that the program was started in, else
 * the global one.
 *
 * @throws ClientError `TIDEMARK_CLIENT_PACKAGE_MISSING` where there is neither.
 */
export function findWebSocket(): WebSocketClass {
  for (const place of [import.meta.url, path.join(process.cwd(), 'package.json')]) {
    try {
      return (createRequire(place)('ws') as { WebSocket: WebSocketClass }).WebSocket
    } catch {}
  }
  const { WebSocket } = globalThis as { WebSocket?: WebSocketClass }
  if (WebSocket) return WebSocket
  throw new ClientError(
    'TIDEMARK_CLIENT_PACKAGE_MISSING',
    'A client needs the package ws, or Node.js 22. "npm install ws@8" installs it.',
    { packages: ['ws'] },
  )
}
