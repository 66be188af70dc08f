// How the venue does, in figures of its pool and of its server.
import { by, bytes, count, drawFigures, drawRows, milliseconds } from './elements.js'

export function drawHealth(health) {
  const { rates, acknowledgement, flush, connections } = health
  drawFigures(by('throughput'), [
    ['Commands a second', count(rates.commands)],
    ['Trades a second', count(rates.trades)],
    ['Commands', count(health.commands)],
    ['Trades', count(health.trades)],
    ['Refused by the book', count(health.rejected)],
    ['In flight', `${count(health.inFlight)} of ${count(health.inFlightMax)}`],
  ])
  drawFigures(by('acknowledgement'), [
    ['p50', milliseconds(acknowledgement.p50Ms)],
    ['p99', milliseconds(acknowledgement.p99Ms)],
    ['p99.9', milliseconds(acknowledgement.p999Ms)],
    ['Longest', milliseconds(acknowledgement.maxMs)],
  ])
  drawFigures(by('log'), [
    ['Durable LSN', count(health.durableLsn)],
    ['Not durable yet', bytes(health.durableLagBytes)],
    ['Durable, not shown yet', bytes(health.venueLagBytes)],
    ['Ring', `${count(health.ringFill * 100)} % full`],
    ['Flushes', count(health.flushes)],
    ['Flushes a second', count(rates.flushes)],
    ['Records a flush', count(health.recordsPerFlush)],
    ['Flush, p50', milliseconds(flush.p50Ms)],
    ['Flush, p99', milliseconds(flush.p99Ms)],
    ['Log after the snapshot', bytes(health.checkpointLogBytes)],
  ])
  drawFigures(by('copies'), copies(health))
  drawRows(
    by('shards'),
    health.shards.map(({ commands, trades, inFlight, queuedBytes }, shard) => [
      shard,
      count(commands),
      count(trades),
      count(inFlight),
      bytes(queuedBytes),
    ]),
  )
  drawFigures(by('clients'), [
    ['Requests', count(health.requests)],
    ['Streams', count(connections.streams)],
    ['WebSocket API', count(connections.api)],
    ['Pages', count(connections.pages)],
  ])
}

/** Where the log is besides on this disk: replicated, stored, archived. */
function copies({ replication, readers, archive }) {
  const figures = []
  if (replication) {
    const { ack, epoch, lagBytes, lagMs, stalled, standbys } = replication
    figures.push(['Replication', stalled ? 'stalled' : `acknowledges ${ack}, epoch ${epoch}`])
    figures.push(['Not replicated yet', `${bytes(lagBytes)}, ${milliseconds(lagMs)}`])
    for (const standby of standbys)
      figures.push([`Standby ${standby.name}`, `${bytes(standby.lagBytes)} to go`])
    if (standbys.length === 0) figures.push(['Standbys', 'none'])
  } else figures.push(['Standbys', 'none: not replicated'])
  for (const { name, state, live, lagBytes } of readers)
    figures.push([
      `Reader ${name}`,
      `${live ? '' : 'gone, '}${state === 'valid' ? `${bytes(lagBytes)} to go` : state}`,
    ])
  if (readers.length === 0) figures.push(['Store', 'none reads this log'])
  if (archive)
    figures.push([
      'Archive',
      archive.failures > 0 ? `fails (${archive.failures})` : `${bytes(archive.waitingBytes)} to go`,
    ])
  return figures
}
