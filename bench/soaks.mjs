// Which soak runs: that of a pool or, with --server, that of a server.
//
//   npm run soak -- [--server] [options of bench/soak.mjs or bench/server-soak.mjs]
const at = process.argv.indexOf('--server')
if (at < 0) await import('./soak.mjs')
else {
  process.argv.splice(at, 1)
  await import('./server-soak.mjs')
}
