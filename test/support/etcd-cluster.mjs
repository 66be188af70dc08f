import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { setTimeout } from 'node:timers/promises'

const binary = process.env['TIDEMARK_ETCD'] ?? 'etcd'
const host = '127.0.0.1'
/** A node that is asked for its state says it at once, or it is paused. */
const statusTimeoutMs = 1000
const waitMsMax = 30_000

/** Why no node can be started here; undefined when one can. */
export function etcdMissing() {
  const { error, status } = spawnSync(binary, ['--version'], { stdio: 'ignore' })
  return error || status !== 0
    ? `there is no ${binary} to run (Debian: apt-get install etcd-server)`
    : undefined
}

/** Starts nodes that form one cluster, in temporary folders, on ports of the loopback interface that were free. */
export async function startEtcd({ nodes = 3, args = [], tls, data = [] } = {}) {
  const cluster = new EtcdCluster(nodes, args, tls, data)
  await cluster.begin()
  return cluster
}

class EtcdCluster {
  nodes = []
  folder
  #args
  #tls
  #data
  #size
  #onExit = () => {
    for (const node of this.nodes) node.signal('SIGKILL')
  }

  constructor(size, args, tls, data) {
    this.#size = size
    this.#args = args
    this.#tls = tls
    this.#data = data
    this.folder = mkdtempSync(path.join(tmpdir(), 'tidemark-etcd-'))
  }

  get endpoints() {
    return this.nodes.map(({ endpoint }) => endpoint)
  }

  async begin() {
    process.on('exit', this.#onExit)
    try {
      // A port that was free may be taken by another program before the node has it.
      for (let triesLeft = 3; ; triesLeft--) {
        await this.#make()
        try {
          return await this.ready()
        } catch (error) {
          await this.#end()
          if (triesLeft === 0) throw error
        }
      }
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async #make() {
    const ports = await freePorts(2 * this.#size)
    const scheme = this.#tls ? 'https' : 'http'
    const urls = ports.map((port, i) => `${i % 2 === 0 ? scheme : 'http'}://${host}:${port}`)
    const names = Array.from({ length: this.#size }, (_, i) => `n${i}`)
    const members = names.map((name, i) => `${name}=${urls[2 * i + 1]}`).join(',')
    const identity = this.#tls && {
      cert: readFileSync(this.#tls.cert),
      key: readFileSync(this.#tls.key),
      rejectUnauthorized: false,
    }
    this.nodes = names.map((name, i) => {
      const folder = mkdtempSync(path.join(this.folder, `${name}-`))
      const args = [
        ...[
          '--name',
          name,
          '--data-dir',
          path.join(this.#data[i] ?? folder, `data-${path.basename(folder)}`),
        ],
        ...['--listen-client-urls', urls[2 * i], '--advertise-client-urls', urls[2 * i]],
        ...['--listen-peer-urls', urls[2 * i + 1], '--initial-advertise-peer-urls', urls[2 * i + 1]],
        ...['--initial-cluster', members, '--initial-cluster-token', `tidemark-${ports[0]}`],
        ...['--logger', 'zap', '--log-outputs', 'stderr', '--log-level', 'warn'],
        ...(this.#tls ? ['--cert-file', this.#tls.cert, '--key-file', this.#tls.key] : []),
        ...(this.#tls?.clientCa ? ['--client-cert-auth', '--trusted-ca-file', this.#tls.clientCa] : []),
        ...this.#args,
      ]
      return new EtcdNode(name, urls[2 * i], folder, args, identity)
    })
    for (const node of this.nodes) node.start()
  }

  /** Resolves when every node that runs knows the same leader. */
  async ready() {
    await this.#until(async () => {
      const states = await Promise.all(this.running().map((node) => node.status()))
      const leaders = new Set(states.map((state) => state?.leader ?? '0'))
      return states.length > 0 && leaders.size === 1 && !leaders.has('0')
    })
  }

  /** The node that leads, as those that run say it. */
  async leader() {
    let found
    await this.#until(async () => {
      for (const node of this.running()) {
        const state = await node.status()
        if (state && state.leader === state.header.member_id) found = node
      }
      return found !== undefined
    })
    return found
  }

  /** The nodes that were neither killed nor paused. */
  running() {
    return this.nodes.filter((node) => node.isRunning)
  }

  /** Ends all nodes and removes their folders. */
  async stop() {
    await this.#end()
    process.off('exit', this.#onExit)
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #end() {
    await Promise.all(this.nodes.map((node) => node.kill()))
  }

  async #until(holds) {
    for (const startMs = performance.now(); !(await holds()); ) {
      if (performance.now() - startMs > waitMsMax || this.nodes.some((node) => node.failed))
        throw new Error(`etcd does not get ready:\n${this.nodes.map((node) => node.output()).join('\n')}`)
      await setTimeout(50)
    }
  }
}

class EtcdNode {
  name
  endpoint
  folder
  isRunning = false
  #args
  #identity
  #child
  #exited = Promise.resolve()
  #killing = false

  constructor(name, endpoint, folder, args, identity) {
    this.name = name
    this.endpoint = endpoint
    this.folder = folder
    this.#args = args
    this.#identity = identity
  }

  get pid() {
    return this.#child?.pid
  }

  /** Whether it ended by itself. */
  get failed() {
    return this.#child !== undefined && this.#child.exitCode !== null && !this.#killing
  }

  start(args = []) {
    this.#killing = false
    this.isRunning = true
    const child = spawn(binary, [...this.#args, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr.pipe(createWriteStream(path.join(this.folder, 'output'), { flags: 'a' }))
    child.on('error', () => {})
    this.#exited = new Promise((resolve) => child.once('close', resolve))
    this.#child = child
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill() {
    this.#killing = true
    this.isRunning = false
    this.signal('SIGKILL')
    await this.#exited
  }

  pause() {
    this.isRunning = false
    this.signal('SIGSTOP')
  }

  resume() {
    this.isRunning = true
    this.signal('SIGCONT')
  }

  /** Starts it again after `kill`, on its folder, with more arguments. */
  restart(args = []) {
    this.start(args)
  }

  signal(name) {
    if (this.#child?.exitCode === null && this.#child.signalCode === null) this.#child.kill(name)
  }

  /** What it says of itself and its leader; undefined when it does not answer. */
  async status() {
    try {
      return await this.ask('maintenance/status', {})
    } catch {
      return undefined
    }
  }

  /** Calls its JSON interface, with the certificate of the nodes. */
  ask(path, fields) {
    const { promise, resolve, reject } = deferred()
    const { request } = this.#identity ? https : http
    const options = { ...this.#identity, method: 'POST', timeout: statusTimeoutMs, agent: false }
    const asked = request(`${this.endpoint}/v3/${path}`, options, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (part) => {
        text += part
      })
      reply.on('error', reject).on('end', () => {
        if (reply.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(`${path}: ${reply.statusCode} ${text}`))
      })
    })
    asked.on('error', reject).on('timeout', () => asked.destroy(new Error('no answer')))
    asked.end(JSON.stringify(fields))
    return promise
  }

  output() {
    const file = path.join(this.folder, 'output')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-5).join('\n') : ''
  }
}

function deferred() {
  let resolve
  let reject
  const promise = new Promise((...settle) => {
    ;[resolve, reject] = settle
  })
  return { promise, resolve, reject }
}

/** Ports that nothing listens on, all at the same moment. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(
    servers.map(
      (server) =>
        new Promise((resolve, reject) => {
          server.once('error', reject)
          server.listen(0, host, resolve)
        }),
    ),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
