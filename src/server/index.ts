// What users of the package get as `tidemark/server`, and what the rest of the house uses.
export { type ApiKey, type KeyPermission, KeyStore, type NewKey } from './access/keys.js'
export { demoInstruments } from './demo/instruments.js'
export { DemoTraders, type TradersOptions } from './demo/traders.js'
export { ServerError, type ServerErrorCode } from './errors.js'
export type { VenueServerOptions } from './options.js'
export type { ServerModules } from './packages.js'
export { VenueServer } from './server.js'
export type { Balance, Balances } from './venue/balances.js'
