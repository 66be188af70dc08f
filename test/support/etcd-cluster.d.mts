/** Why no node of etcd can be started here; undefined when one can. */
export function etcdMissing(): string | undefined

export interface EtcdOptions {
  /** How many nodes; 3 when left out. */
  readonly nodes?: number
  /** More arguments for each, such as `['--quota-backend-bytes', '33554432']`. */
  readonly args?: readonly string[]
  /** Where the nodes keep their data, each in a folder of its own there; a node without one keeps it in the cluster's. */
  readonly data?: readonly string[]
  /** Files with the certificate and the key of the nodes; with `clientCa` clients need a certificate of that authority. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string }
}

/** Starts nodes that form one cluster, in temporary folders, on free ports of the loopback interface. */
export function startEtcd(options?: EtcdOptions): Promise<EtcdCluster>

export interface EtcdCluster {
  readonly nodes: readonly EtcdNode[]
  /** Their addresses for clients, such as `http://127.0.0.1:2379`. */
  readonly endpoints: readonly string[]
  /** Holds a folder for each node. */
  readonly folder: string
  /** Resolves when every node that runs knows the same leader. */
  ready(): Promise<void>
  /** The node that leads; waits until there is one. */
  leader(): Promise<EtcdNode>
  /** The nodes that were neither killed nor paused. */
  running(): readonly EtcdNode[]
  /** Ends all nodes and removes their folders. */
  stop(): Promise<void>
}

export interface EtcdNode {
  readonly name: string
  readonly endpoint: string
  readonly folder: string
  readonly isRunning: boolean
  readonly pid: number | undefined
  /** SIGKILL, and waits until the process is gone. */
  kill(): Promise<void>
  /** SIGSTOP. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** Starts it again after `kill`, on its folder, with more arguments. Call `ready` of the cluster next. */
  restart(args?: readonly string[]): void
  /** Its JSON interface: `ask('kv/compaction', { revision: '5' })`. */
  ask(path: string, fields: object): Promise<unknown>
  /** What it says of itself and its leader; undefined when it does not answer. */
  status(): Promise<
    | { readonly header: { readonly member_id: string }; readonly leader?: string; readonly dbSize?: string }
    | undefined
  >
}
