import { badReplicationSetting } from '../../log/thread.js'
import { checkOptions, requireNumber } from '../settings.js'

/** Which etcd cluster, and how it is reached. */
export interface EtcdOptions {
  /** The nodes, all of them: `http://10.0.0.1:2379`, `https://…`, or `10.0.0.1:2379`. As an array, or in one text with commas. */
  readonly endpoints: readonly string[] | string
  /** For nodes with `https://`. Default: the authorities that Node.js trusts, and no certificate of one's own. */
  readonly tls?: EtcdTls
  /** The user's name, where the cluster asks for one. */
  readonly user?: string
  /** The user's password. */
  readonly password?: string
  /** How long one call to one node may take: 100 to 60,000. Default 3,000. */
  readonly callTimeoutMs?: number
  /** How long calls are repeated, at one node after the other, before they reject: 0 to 3,600,000. Default 10,000. */
  readonly patienceMs?: number
}

/** Certificates and keys in PEM. */
export interface EtcdTls {
  /** The authorities that the nodes' certificates are checked with. */
  readonly ca?: string | Uint8Array
  /** This client's certificate and key, for nodes that ask for one. */
  readonly cert?: string | Uint8Array
  /** The key of the client's certificate, PEM. */
  readonly key?: string | Uint8Array
}

export interface EtcdSettings {
  /** `host:port`. */
  readonly endpoints: readonly string[]
  /** Undefined for connections in the clear. */
  readonly tls: EtcdTls | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly callTimeoutMs: number
  readonly patienceMs: number
}

/** @throws ReplicationError `TIDEMARK_BAD_SETTING`. */
export function resolveEtcdOptions(options: EtcdOptions): EtcdSettings {
  checkOptions<EtcdOptions>('etcd', options, {
    endpoints: true,
    tls: true,
    user: true,
    password: true,
    callTimeoutMs: true,
    patienceMs: true,
  })
  const { user, password, callTimeoutMs = 3000, patienceMs = 10_000 } = options
  if ((user === undefined) !== (password === undefined))
    throw badReplicationSetting(
      user === undefined ? 'user' : 'password',
      undefined,
      'both, user and password, or none',
    )
  for (const [name, value] of Object.entries({ user, password })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw badReplicationSetting(name, typeof value, 'a text')
  }
  const endpoints = endpointsOf(options.endpoints)
  const secure = endpoints[0]!.secure
  return {
    endpoints: endpoints.map(({ address }) => address),
    tls: tlsOf(options.tls, secure),
    user,
    password,
    callTimeoutMs: requireNumber('callTimeoutMs', callTimeoutMs, 100, 60_000),
    patienceMs: requireNumber('patienceMs', patienceMs, 0, 3_600_000),
  }
}

function endpointsOf(given: unknown): { address: string; secure: boolean }[] {
  const texts: unknown[] = typeof given === 'string' ? given.split(',') : Array.isArray(given) ? given : []
  const endpoints = texts.map((text) => {
    const trimmed = typeof text === 'string' ? text.trim().replace(/\/$/, '') : ''
    const found = /^(https?:\/\/)?((?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5})$/.exec(trimmed)
    if (!found) throw badReplicationSetting('endpoints', given, 'addresses such as http://10.0.0.1:2379')
    return { address: found[2]!, secure: found[1] === 'https://' }
  })
  if (endpoints.length === 0) throw badReplicationSetting('endpoints', given, 'at least one address')
  if (new Set(endpoints.map(({ secure }) => secure)).size > 1)
    throw badReplicationSetting('endpoints', given, 'https:// for all, or for none')
  return endpoints
}

function tlsOf(tls: EtcdTls | undefined, secure: boolean): EtcdTls | undefined {
  if (tls === undefined) return secure ? {} : undefined
  checkOptions<EtcdTls>('tls', tls, { ca: true, cert: true, key: true })
  if (!secure) throw badReplicationSetting('tls', 'given', 'https:// in each of the endpoints with it')
  for (const [name, value] of Object.entries(tls)) {
    if (value !== undefined && typeof value !== 'string' && !(value instanceof Uint8Array))
      throw badReplicationSetting(`tls.${name}`, typeof value, 'PEM, as a text or as bytes')
  }
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw badReplicationSetting('tls.cert and tls.key', 'one of them', 'both or none')
  return tls
}
