import { fork } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import * as net from 'node:net'

const { WebSocket } = createRequire(new URL('../../test/peers/package.json', import.meta.url))('ws')

/** A served pool in a process of its own. */
export class ServedProcess {
  #child
  #waiting = new Map()
  #id = 0

  static async start(dir, keys) {
    const child = fork(new URL('./server-child.mjs', import.meta.url), {
      env: { ...process.env, DIR: dir, KEYS: String(keys) },
    })
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`the server ended with code ${code} before it served`)
    })
    const [ready] = await Promise.race([once(child, 'message'), failed])
    failed.catch(() => {})
    return new ServedProcess(child, ready)
  }

  constructor(child, { url, bareUrl, keys }) {
    Object.assign(this, { url, bareUrl, keys })
    this.#child = child
    child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) resolve(result)
      else reject(new Error(error))
    })
    child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the server ended with code ${code}`))
    })
  }

  ask(operation, argument) {
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#child.send({ id, operation, argument })
    })
  }

  async close() {
    const exited = once(this.#child, 'exit')
    await this.ask('close')
    await exited
  }
}

/** A connection over a WebSocket; `onMessage` gets each text as bytes. */
export async function connect(url, path, onMessage) {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + path, { perMessageDeflate: false })
  socket.on('message', onMessage)
  await once(socket, 'open')
  return socket
}

/** A client of the WebSocket API, which signs each request with HMAC or, after `logon`, none. */
export class ApiClient {
  #key
  #socket
  #waiting = new Map()
  #id = 0
  #hasSession = false
  /** Called with what is no answer. */
  onEvent = () => {}

  static async open(url, key) {
    const client = new ApiClient()
    client.#key = key
    client.#socket = await connect(url, '/ws-api/v3?returnRateLimits=false', (data) => {
      const message = JSON.parse(data)
      const done = client.#waiting.get(message.id)
      if (!done) return client.onEvent(message)
      client.#waiting.delete(message.id)
      done(message)
    })
    client.#socket.on('close', () => {
      for (const done of client.#waiting.values()) done({ status: 0, error: { code: 0, msg: 'closed' } })
    })
    return client
  }

  request(method, values) {
    const id = ++this.#id
    const params = this.#hasSession ? values : this.#signed(values)
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  async logon() {
    const { status } = await this.request('session.logon', {})
    if (status !== 200) throw new Error('no session was opened')
    this.#hasSession = true
  }

  close() {
    this.#socket.close()
  }

  #signed(values) {
    const { apiKey, secret } = this.#key
    const all = { ...values, apiKey, timestamp: Date.now() }
    const payload = Object.keys(all)
      .sort()
      .map((name) => `${name}=${all[name]}`)
      .join('&')
    return { ...all, signature: createHmac('sha256', secret).update(payload).digest('hex') }
  }
}

/** Asks the same over a few connections that stay open, one request under way on each; returns answers a second. */
export async function askAgainAndAgain(url, { connections, forMs }) {
  const { hostname, port, pathname } = new URL(url)
  const request = `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`
  let answers = 0
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = net.connect(Number(port), hostname)
      await once(socket, 'connect')
      let text = ''
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1')
        const end = text.indexOf('\r\n\r\n')
        if (end < 0) return
        const length = Number(/content-length: (\d+)/i.exec(text)[1])
        if (text.length < end + 4 + length) return
        if (!text.startsWith('HTTP/1.1 200')) throw new Error(text)
        text = ''
        answers++
        if (performance.now() - startMs < forMs) socket.write(request)
        else socket.end()
      })
      socket.write(request)
      await once(socket, 'close')
    }),
  )
  return (answers * 1000) / (performance.now() - startMs)
}
