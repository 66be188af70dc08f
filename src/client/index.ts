// What users of the package get as `tidemark/client`.
export { VenueClient } from './client.js'
export { ClientError, type ClientErrorCode, VenueRefusal } from './errors.js'
export type { VenueClientOptions } from './options.js'
export type { Values } from './signing.js'
export type { ClientSocket, WebSocketClass } from './socket.js'
export type {
  EventPlace,
  ExecutionReport,
  Fill,
  NewOrder,
  Order,
  OrderName,
  OrderStatus,
  PlacedOrder,
  Side,
  UserEvent,
} from './types.js'
export type { UserEvents, UserEventsOptions } from './user-events.js'
