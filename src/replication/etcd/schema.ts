/**
 * The part of etcd's interface (version 3) that is used, in the form in which `protobufjs` takes a schema: names, field numbers and types are etcd's
 * own (`api/etcdserverpb/rpc.proto` and `api/mvccpb/kv.proto` of etcd-io/etcd, the same in 3.3 to 3.6). Fields that are left out are not sent, and skipped when read.
 */
type Fields = Record<string, { readonly type: string; readonly id: number; readonly rule?: 'repeated' }>

const bytes = (id: number) => ({ type: 'bytes', id })
const int64 = (id: number) => ({ type: 'int64', id })
const bool = (id: number) => ({ type: 'bool', id })
const text = (id: number) => ({ type: 'string', id })
const of = (type: string, id: number) => ({ type, id })
const list = (type: string, id: number) => ({ type, id, rule: 'repeated' as const })
const message = (fields: Fields) => ({ fields })
const oneOf = (name: string, fields: Fields) => ({
  oneofs: { [name]: { oneof: Object.keys(fields) } },
  fields,
})
const method = (requestType: string, responseType: string) => ({ requestType, responseType })
const stream = (requestType: string, responseType: string) => ({
  requestType,
  responseType,
  requestStream: true,
  responseStream: true,
})
const header = of('ResponseHeader', 1)

export const etcdSchema = {
  nested: {
    mvccpb: {
      nested: {
        KeyValue: message({ key: bytes(1), modRevision: int64(3), value: bytes(5) }),
        Event: message({ type: of('int32', 1), kv: of('KeyValue', 2) }),
      },
    },
    etcdserverpb: {
      nested: {
        ResponseHeader: message({ memberId: of('uint64', 2), revision: int64(3) }),
        RangeRequest: message({
          key: bytes(1),
          rangeEnd: bytes(2),
          limit: int64(3),
          revision: int64(4),
          sortOrder: of('int32', 5),
          keysOnly: bool(8),
        }),
        RangeResponse: message({ header, kvs: list('mvccpb.KeyValue', 2), more: bool(3) }),
        PutRequest: message({ key: bytes(1), value: bytes(2), lease: int64(3) }),
        PutResponse: message({ header }),
        DeleteRangeRequest: message({ key: bytes(1), rangeEnd: bytes(2) }),
        DeleteRangeResponse: message({ header, deleted: int64(2) }),
        RequestOp: oneOf('request', {
          requestRange: of('RangeRequest', 1),
          requestPut: of('PutRequest', 2),
          requestDeleteRange: of('DeleteRangeRequest', 3),
        }),
        ResponseOp: oneOf('response', {
          responseRange: of('RangeResponse', 1),
          responsePut: of('PutResponse', 2),
          responseDeleteRange: of('DeleteRangeResponse', 3),
        }),
        Compare: message({
          result: of('int32', 1),
          target: of('int32', 2),
          key: bytes(3),
          modRevision: int64(6),
        }),
        TxnRequest: message({
          compare: list('Compare', 1),
          success: list('RequestOp', 2),
          failure: list('RequestOp', 3),
        }),
        TxnResponse: message({ header, succeeded: bool(2), responses: list('ResponseOp', 3) }),
        CompactionRequest: message({ revision: int64(1) }),
        CompactionResponse: message({ header }),
        WatchRequest: oneOf('requestUnion', {
          createRequest: of('WatchCreateRequest', 1),
          progressRequest: of('WatchProgressRequest', 3),
        }),
        WatchCreateRequest: message({ key: bytes(1), rangeEnd: bytes(2), startRevision: int64(3) }),
        WatchProgressRequest: message({}),
        WatchResponse: message({
          header,
          created: bool(3),
          canceled: bool(4),
          compactRevision: int64(5),
          cancelReason: text(6),
          events: list('mvccpb.Event', 11),
        }),
        LeaseGrantRequest: message({ TTL: int64(1), ID: int64(2) }),
        LeaseGrantResponse: message({ header, ID: int64(2), TTL: int64(3) }),
        LeaseRevokeRequest: message({ ID: int64(1) }),
        LeaseRevokeResponse: message({ header }),
        LeaseKeepAliveRequest: message({ ID: int64(1) }),
        LeaseKeepAliveResponse: message({ header, ID: int64(2), TTL: int64(3) }),
        AuthenticateRequest: message({ name: text(1), password: text(2) }),
        AuthenticateResponse: message({ header, token: text(2) }),
        KV: {
          methods: {
            Txn: method('TxnRequest', 'TxnResponse'),
            Compact: method('CompactionRequest', 'CompactionResponse'),
          },
        },
        Watch: { methods: { Watch: stream('WatchRequest', 'WatchResponse') } },
        Lease: {
          methods: {
            LeaseGrant: method('LeaseGrantRequest', 'LeaseGrantResponse'),
            LeaseRevoke: method('LeaseRevokeRequest', 'LeaseRevokeResponse'),
            LeaseKeepAlive: stream('LeaseKeepAliveRequest', 'LeaseKeepAliveResponse'),
          },
        },
        Auth: { methods: { Authenticate: method('AuthenticateRequest', 'AuthenticateResponse') } },
      },
    },
  },
} as const

/** Compare.result, Compare.target, RangeRequest.sortOrder and Event.type, as far as they are used. */
export const etcdEnum = { equal: 0, modRevision: 2, descending: 2, deleted: 1 } as const

interface ResponseHeader {
  readonly revision: string
}

export interface EtcdKeyValue {
  readonly key: Buffer
  readonly value: Buffer
  readonly modRevision: string
}

export interface TxnResponse {
  readonly header: ResponseHeader
  readonly succeeded: boolean
  readonly responses: readonly {
    readonly responseRange?: { readonly kvs: readonly EtcdKeyValue[]; readonly more: boolean } | null
  }[]
}

export interface WatchResponse {
  readonly created: boolean
  readonly canceled: boolean
  readonly compactRevision: string
  readonly cancelReason: string
  readonly events: readonly { readonly type: number; readonly kv: EtcdKeyValue }[]
}

export interface LeaseResponse {
  readonly ID: string
  readonly TTL: string
}
