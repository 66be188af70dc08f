import { archiveLog, compactArchive } from '#tidemark/archive/index.js'
import { say } from './say.mjs'

// Archives a log in small parts and merges them, until it is done or killed.
const { LOG, ARCHIVE } = process.env
say('ready')
await archiveLog({ log: LOG, archive: ARCHIVE, kind: 'pool', partRows: 200, waitMs: 60_000 })
await compactArchive({ archive: ARCHIVE, mergedRows: 2000 })
say('done')
