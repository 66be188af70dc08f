import { execFileSync, spawnSync } from 'node:child_process'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** In which direction nothing gets through, as the process in the namespace sees it. */
export type Cut = 'whole' | 'out' | 'in'

let partitions = 0

/** Why no process can be put on a network that is cut; undefined when one can. */
export function partitionsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make network namespaces'
  for (const tool of ['ip', 'nft']) {
    if (spawnSync(tool, ['-V'], { stdio: 'ignore' }).error) return `there is no ${tool} to run`
  }
  const probe = `tidemark-probe-${process.pid}`
  if (spawnSync('ip', ['netns', 'add', probe], { stdio: 'ignore' }).status !== 0)
    return 'the system makes no network namespaces'
  spawnSync('ip', ['netns', 'delete', probe], { stdio: 'ignore' })
  return undefined
}

/**
 * A network namespace that reaches given addresses of this machine through one pair of interfaces, which a test cuts: packets are
 * dropped there, and connections are neither closed nor refused.
 */
export class PartitionedNetwork {
  /** Where the addresses are reached from inside. */
  readonly endpoints: readonly string[]
  readonly #name: string
  readonly #device: string
  readonly #servers: Server[]
  readonly #sockets = new Set<Socket>()

  private constructor(name: string, device: string, endpoints: readonly string[], servers: Server[]) {
    this.#name = name
    this.#device = device
    this.endpoints = endpoints
    this.#servers = servers
  }

  static async open(targets: readonly string[]): Promise<PartitionedNetwork> {
    const n = partitions++
    const name = `tidemark-${process.pid}-${n}`
    const [outer, inner] = [`tmo${process.pid % 100_000}${n % 10}`, `tmi${process.pid % 100_000}${n % 10}`]
    const net = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 250}`
    const at = 4 * (n % 60)
    run('ip', 'netns', 'add', name)
    run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name)
    run('ip', 'addr', 'add', `${net}.${at + 1}/30`, 'dev', outer)
    run('ip', 'link', 'set', outer, 'up')
    run('ip', '-n', name, 'addr', 'add', `${net}.${at + 2}/30`, 'dev', inner)
    run('ip', '-n', name, 'link', 'set', inner, 'up')
    run('ip', '-n', name, 'link', 'set', 'lo', 'up')
    const servers: Server[] = []
    const endpoints: string[] = []
    const network = new PartitionedNetwork(name, inner, endpoints, servers)
    for (const target of targets) {
      const { hostname, port } = new URL(target)
      const server = createServer((socket) => network.#forward(socket, hostname, Number(port)))
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, `${net}.${at + 1}`, resolve)
      })
      servers.push(server)
      endpoints.push(`http://${net}.${at + 1}:${(server.address() as { port: number }).port}`)
    }
    return network
  }

  /** Words before a command that is to run inside. */
  get prefix(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name]
  }

  cut(how: Cut): void {
    this.#nft('add table inet cut')
    const drop = (hook: string, match: string) => {
      this.#nft(`add chain inet cut ${hook} { type filter hook ${hook} priority 0; }`)
      this.#nft(`add rule inet cut ${hook} ${match} "${this.#device}" drop`)
    }
    if (how !== 'in') drop('output', 'oifname')
    if (how !== 'out') drop('input', 'iifname')
  }

  heal(): void {
    this.#nft('delete table inet cut')
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))))
    spawnSync('ip', ['netns', 'delete', this.#name], { stdio: 'ignore' })
  }

  #forward(socket: Socket, host: string, port: number): void {
    const target = connect(port, host)
    for (const [from, to] of [
      [socket, target],
      [target, socket],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => {})
      from.once('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }

  #nft(rule: string): void {
    run('ip', 'netns', 'exec', this.#name, 'nft', rule)
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
