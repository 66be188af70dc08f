// The auditor of bench/soak.mjs: a thread that reads the log's files by itself, after the pool, and checks that each command
// that was acknowledged stands in them exactly once. It gets `{ lsn, tags }`: the durable LSN, where a batch ends, and the tags
// of commands that were acknowledged by then; and answers `{ lsn, ... }` when it has read that far.
import { parentPort, workerData } from 'node:worker_threads'
import { NodeDisk } from '../../dist/src/log/disk/node-disk.js'
import { FileReader } from '../../dist/src/log/read/file-reader.js'
import { RecordAssembler } from '../../dist/src/log/read/record-assembler.js'
import { commandTagLow } from '../../dist/src/matching/index.js'

const { dir, fromLsn, commandsMax } = workerData
const reader = new FileReader(new NodeDisk(), dir, fromLsn, { known: true })
/** A bit for each tag that was read. */
const seen = new Uint8Array((commandsMax >> 3) + 1)
const counts = { records: 0, repeated: 0, missing: 0, audited: 0, bytes: 0 }

const walk = new RecordAssembler({
  visit(words, from, _to, _lsn, type) {
    const tag = commandTagLow(words, from)
    if (type !== 1 || tag === 0) return
    const bit = 1 << (tag & 7)
    if ((seen[tag >> 3] & bit) !== 0) counts.repeated++
    seen[tag >> 3] |= bit
    counts.records++
  },
})

parentPort.on('message', ({ lsn, tags }) => {
  for (let chunk = reader.nextSync(lsn); chunk; chunk = reader.nextSync(lsn)) {
    walk.walk(chunk)
    counts.bytes += chunk.endLsn - chunk.startLsn
  }
  for (const tag of tags) if ((seen[tag >> 3] & (1 << (tag & 7))) === 0) counts.missing++
  counts.audited += tags.length
  parentPort.postMessage({ lsn, ...counts })
})
