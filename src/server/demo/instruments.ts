/** What a demo trades, and around which prices it begins. */
export const demoInstruments = [
  {
    symbol: 'BTCUSDT',
    tickSize: '0.01',
    lotSize: '0.00001',
    baseAsset: 'BTC',
    quoteAsset: 'USDT',
    minNotional: '5',
  },
  {
    symbol: 'ETHUSDT',
    tickSize: '0.01',
    lotSize: '0.0001',
    baseAsset: 'ETH',
    quoteAsset: 'USDT',
    minNotional: '5',
  },
  {
    symbol: 'SOLUSDT',
    tickSize: '0.01',
    lotSize: '0.01',
    baseAsset: 'SOL',
    quoteAsset: 'USDT',
    minNotional: '5',
  },
] as const

/** Prices, and what of the base asset an order of usual size is about. Made up: a demo has no other market to follow. */
export const demoMarkets = [
  { symbol: 'BTCUSDT', price: 60_000, size: 0.02, priceDecimals: 2, sizeDecimals: 5 },
  { symbol: 'ETHUSDT', price: 3000, size: 0.4, priceDecimals: 2, sizeDecimals: 4 },
  { symbol: 'SOLUSDT', price: 150, size: 8, priceDecimals: 2, sizeDecimals: 2 },
] as const
