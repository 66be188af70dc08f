import { describe, expect, it } from 'vitest'
import { segmentName } from '#tidemark/log/format/segment.js'
import { type BackupSnapshots, backupLog } from '#tidemark/log/index.js'
import { InlineLog, inlineDirectory } from '../../support/inline-log.js'
import { MemoryDisk } from '../../support/memory-disk.js'

const content = Buffer.alloc(3000, 'state')
const copy = '/copy'

/** A log with a file beside it, and a folder for its copy. */
function logWithFile(): { disk: MemoryDisk; lsn: number } {
  const disk = new MemoryDisk()
  const log = new InlineLog(disk)
  const lsn = log.append(Buffer.from('first'))
  log.append(Buffer.from('second'))
  log.flushAll()
  disk.replace(`${inlineDirectory}/state-1`, content)
  disk.makeDirectory(copy)
  return { disk, lsn }
}

function besideIt(disk: MemoryDisk, lsn: number): BackupSnapshots {
  const files = () => disk.list(inlineDirectory).filter((name) => name.startsWith('state-'))
  const newest = () => `${inlineDirectory}/${files().sort().at(-1)}`
  return {
    list: async () => files().map((name) => `${inlineDirectory}/${name}`),
    newest: async () => undefined,
    beside: async () => [{ path: newest(), replayFromLsn: lsn, endLsn: lsn }],
    isValid: async () => true,
  }
}

async function backUp(disk: MemoryDisk, lsn: number) {
  const overtaken = () => new Error('overtaken')
  return backupLog(disk, inlineDirectory, copy, besideIt(disk, lsn), { kind: 'log', closed: true, overtaken })
}

describe('a backup of a log with files beside it', () => {
  it('has them whole and on disk when it is there, whenever the power fails', async () => {
    const { disk, lsn } = logWithFile()
    const cuts: MemoryDisk[] = []
    disk.beforeCall = () =>
      cuts.push(
        disk.powerCut(),
        disk.powerCut(() => true),
      )
    await backUp(disk, lsn)
    disk.beforeCall = () => {}
    const beginning = `${copy}/${segmentName(0)}`
    const copied = `${copy}/state-1`
    expect(disk.powerCut().contentOf(copied)).toEqual(content)
    const begun = cuts.filter((cut) => cut.contentOf(beginning) !== undefined)
    expect(begun.length).toBeGreaterThan(0)
    expect(begun.length).toBeLessThan(cuts.length)
    for (const cut of begun) expect(cut.contentOf(copied)).toEqual(content)
  })

  it('takes the one that is there by then when another was removed while it was copied', async () => {
    const { disk, lsn } = logWithFile()
    const later = Buffer.alloc(4000, 'later')
    disk.beforeCall = (call, path) => {
      if (call !== 'open' || !path.endsWith('/state-1')) return
      disk.beforeCall = () => {}
      disk.remove(`${inlineDirectory}/state-1`)
      disk.replace(`${inlineDirectory}/state-2`, later)
    }
    const report = await backUp(disk, lsn)
    expect(disk.list(copy).filter((name) => !/\.wal$|^LOCK$/.test(name))).toEqual(['state-2'])
    expect(disk.powerCut().contentOf(`${copy}/state-2`)).toEqual(later)
    expect(report.bytes).toBeGreaterThan(later.length)
  })
})
