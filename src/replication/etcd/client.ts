import type { ClientDuplexStream, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js'
import { ReplicationError } from '../../log/thread.js'
import { failureOf, knowsNoUsers, needsToken } from './failures.js'
import type { EtcdSettings } from './options.js'
import { type EtcdPackages, etcdPackages } from './packages.js'

type ServiceName = 'KV' | 'Watch' | 'Lease' | 'Auth'
type Unary = (
  request: object,
  metadata: Metadata,
  options: object,
  done: (error: ServiceError | null, reply: never) => void,
) => ClientUnaryCall
type Duplex = (metadata: Metadata, options: object) => ClientDuplexStream<object, never>
type ServiceClient = Record<string, Unary & Duplex> & { close(): void }
type OpenCall = { cancel(): void }

/** How often a connection that is in use is asked for a sign of life, and how long that may take. Nodes refuse more than one in 5 s. */
const pingMs = 6000
const pingTimeoutMs = 3000
const reconnectMs = { initial: 50, max: 1000 }

/** One connection to each node; calls go to one of them until it does not answer. */
export class EtcdClient {
  readonly name: string
  readonly #settings: EtcdSettings
  readonly #packages: EtcdPackages
  readonly #nodes: readonly Map<ServiceName, ServiceClient>[]
  readonly #calls = new Set<OpenCall>()
  /** The node that calls go to. */
  #node = 0
  #token: string | undefined
  #tokenComes: Promise<void> | undefined
  #closed = false

  constructor(settings: EtcdSettings) {
    this.name = `etcd at ${settings.endpoints.join(', ')}`
    this.#settings = settings
    this.#packages = etcdPackages()
    this.#nodes = settings.endpoints.map((endpoint) => this.#connect(endpoint))
  }

  /**
   * Makes a call to the node that answered last. When it does not, the next call goes to the next node.
   *
   * @throws ReplicationError, Compacted as `failureOf` makes them.
   */
  async call<Reply>(service: ServiceName, method: string, request: object): Promise<Reply> {
    const node = this.#node
    try {
      return await this.#withToken(node, (metadata) =>
        this.#unary<Reply>(node, service, method, request, metadata),
      )
    } catch (error) {
      throw this.#failed(node, error)
    }
  }

  /** Opens a stream to the node that answered last. `use` gets it; it is cancelled when `use` has ended. */
  async *stream<Request extends object, Reply, Value>(
    service: ServiceName,
    method: string,
    use: (stream: ClientDuplexStream<Request, Reply>) => AsyncGenerator<Value>,
  ): AsyncGenerator<Value> {
    const node = this.#node
    let opened: ClientDuplexStream<Request, Reply> | undefined
    try {
      const stream = await this.#withToken(node, async (metadata) => {
        // A node that has lost its leader says so, instead of being silent.
        metadata.set('hasleader', 'true')
        return this.#duplex<Request, Reply>(node, service, method, metadata)
      })
      opened = stream
      this.#calls.add(stream)
      yield* use(stream)
    } catch (error) {
      if (needsToken(error)) this.#token = undefined
      throw this.#failed(node, error)
    } finally {
      if (opened) {
        this.#calls.delete(opened)
        opened.cancel()
      }
    }
  }

  close(): void {
    this.#closed = true
    for (const call of this.#calls) call.cancel()
    for (const services of this.#nodes) for (const client of services.values()) client.close()
  }

  #connect(endpoint: string): Map<ServiceName, ServiceClient> {
    const { grpc, services } = this.#packages
    const { tls } = this.#settings
    const credentials = tls
      ? grpc.credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert))
      : grpc.credentials.createInsecure()
    const options = {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': pingMs,
      'grpc.keepalive_timeout_ms': pingTimeoutMs,
      'grpc.initial_reconnect_backoff_ms': reconnectMs.initial,
      'grpc.max_reconnect_backoff_ms': reconnectMs.max,
      // What may be sent again is decided where it is known what it does.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
    }
    const Channel = grpc.Channel
    const channelOverride = new Channel(endpoint, credentials, options)
    const names = ['KV', 'Watch', 'Lease', 'Auth'] as const
    return new Map(
      names.map((name) => {
        const Service = services[name] as unknown as new (...args: unknown[]) => ServiceClient
        return [name, new Service(endpoint, credentials, { ...options, channelOverride })]
      }),
    )
  }

  /** Makes a call with the user's token, and once more with a new one when the node says that it is old. */
  async #withToken<T>(node: number, call: (metadata: Metadata) => Promise<T>): Promise<T> {
    if (this.#closed) throw this.#closedError()
    for (let triesLeft = 1; ; triesLeft--) {
      const { user } = this.#settings
      if (user !== undefined && this.#token === undefined) await this.#authenticate(node)
      const token = this.#token
      const metadata = new this.#packages.grpc.Metadata()
      if (token) metadata.set('token', token)
      try {
        return await call(metadata)
      } catch (error) {
        if (user === undefined || triesLeft === 0 || !needsToken(error)) throw error
        // Of several calls that found it old, the first one gets a new one for all.
        if (this.#token === token) this.#token = undefined
      }
    }
  }

  #authenticate(node: number): Promise<void> {
    this.#tokenComes ??= this.#getToken(node).finally(() => {
      this.#tokenComes = undefined
    })
    return this.#tokenComes
  }

  async #getToken(node: number): Promise<void> {
    const { user: name, password } = this.#settings
    const metadata = new this.#packages.grpc.Metadata()
    try {
      const request = { name, password }
      const reply = await this.#unary<{ token: string }>(node, 'Auth', 'Authenticate', request, metadata)
      this.#token = reply.token
    } catch (error) {
      if (!knowsNoUsers(error)) throw error
      this.#token = ''
    }
  }

  #unary<Reply>(
    node: number,
    service: ServiceName,
    method: string,
    request: object,
    metadata: Metadata,
  ): Promise<Reply> {
    const client = this.#nodes[node]!.get(service)!
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + this.#settings.callTimeoutMs
      const call = client[method]!(request, metadata, { deadline }, (error, reply) => {
        this.#calls.delete(call)
        if (error) reject(error)
        else resolve(reply)
      })
      this.#calls.add(call)
    })
  }

  #duplex<Request extends object, Reply>(
    node: number,
    service: ServiceName,
    method: string,
    metadata: Metadata,
  ): ClientDuplexStream<Request, Reply> {
    const client = this.#nodes[node]!.get(service)!
    return client[method]!(metadata, {}) as unknown as ClientDuplexStream<Request, Reply>
  }

  /** What a failure means. After one without an answer the next call goes to the next node. */
  #failed(node: number, error: unknown): Error {
    if (this.#closed) return this.#closedError()
    const failure = failureOf(this.name, error)
    const unanswered =
      failure instanceof ReplicationError && failure.code === 'TIDEMARK_REPLICATION_UNAVAILABLE'
    if (unanswered && this.#node === node) this.#node = (node + 1) % this.#nodes.length
    return failure
  }

  #closedError(): ReplicationError {
    return new ReplicationError(
      'TIDEMARK_REPLICATION_CLOSED',
      `The connection to ${this.name} was closed. Connect again.`,
    )
  }
}

function pem(text: string | Uint8Array | undefined): Buffer | null {
  if (text === undefined) return null
  return typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.length)
}
