import { archiveLog, compactArchive, requireArchiveOf } from '#tidemark/archive/index.js'
import { NodeDisk, ReaderCursor } from '#tidemark/log/index.js'
import { say } from './say.mjs'

// Archives a log that another process writes and deletes, in small parts, and merges them, until it is killed.
const { LOG, ARCHIVE } = process.env
const options = { log: LOG, archive: ARCHIVE, kind: 'pool' }
const cursor = await ReaderCursor.open(new NodeDisk(), LOG, 'archive', requireArchiveOf(options))
say('ready')
for (;;) {
  const { endLsn } = await archiveLog({ ...options, partRows: 200, waitMs: 60_000 })
  await cursor.advance(endLsn)
  await compactArchive({ archive: ARCHIVE, mergedRows: 2000 })
  await new Promise((resolve) => setTimeout(resolve, 20))
}
