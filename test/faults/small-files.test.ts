import { describe, expect, it } from 'vitest'
import { SnapshotStore } from '#tidemark/factors/index.js'
import { JobTable } from '#tidemark/jobs/state/job-table.js'
import { readSnapshot, writeSnapshot } from '#tidemark/jobs/state/snapshot.js'
import { SnapshotCut } from '#tidemark/jobs/state/snapshot-cut.js'
import type { Disk } from '#tidemark/log/disk/disk.js'
import { createCursorFile, readCursorFiles, writeCursorFile } from '#tidemark/log/tools/cursor-file.js'
import { SnapshotWriter, validSnapshots } from '#tidemark/pool/snapshot/snapshot-file.js'
import { MemoryDisk } from '../support/memory-disk.js'
import { Random } from '../support/random.js'

const folder = '/folder'
const keep = { count: 10, ageMs: Number.POSITIVE_INFINITY }

/** A kind of small file: `write` stores a version from 1 on, `read` gives the one from which the next opening continues. */
interface Kind {
  write(disk: Disk, version: number): Promise<void>
  read(disk: Disk): Promise<number>
}

const kinds: Record<string, Kind> = {
  'a snapshot of a pool': {
    async write(disk, version) {
      const writer = new SnapshotWriter(folder, disk)
      try {
        for (let i = 0; i < 3; i++) writer.add(0, new Uint8Array(2000).fill(version))
        writer.publish(1, [{ lsn: version * 8, books: 3, orders: 0, orderNumbers: 1, levelNumbers: 1 }])
      } catch (error) {
        writer.discard()
        throw error
      }
    },
    read: async (disk) => ((await validSnapshots(folder, disk))[0]?.header.endLsn ?? 0) / 8,
  },
  'a snapshot of jobs': {
    write: (disk, version) =>
      writeSnapshot(folder, new SnapshotCut(new JobTable(keep), version, 8).chunks(), disk),
    read: async (disk) => (await readSnapshot(folder, keep, disk))?.lastSeq ?? 0,
  },
  'a snapshot of factors': {
    write: async (disk, version) =>
      new SnapshotStore(folder, disk).write({
        info: { checkpointId: 'one', lsn: version * 8, timestamp: undefined },
        series: [],
        state: new Uint8Array(3000).fill(version),
      }),
    read: async (disk) => (new SnapshotStore(folder, disk).newest(1e6).snapshot?.info.lsn ?? 0) / 8,
  },
  'a cursor': {
    write(disk, version) {
      const record = {
        name: 'risk',
        state: 'valid',
        lsn: version * 8,
        sequence: version,
        writtenUs: 1,
      } as const
      return version === 1 ? createCursorFile(folder, record, disk) : writeCursorFile(folder, record, disk)
    },
    read: async (disk) => ((await readCursorFiles(folder, disk))[0]?.record?.lsn ?? 0) / 8,
  },
}

describe.each(Object.entries(kinds))('%s', (_, { write, read }) => {
  it('is the one before or the one that is written, after a power cut at any call, and the latter once it is written', async () => {
    let before = 0
    let after = 0
    for (let version = 1; version <= 3; version++) {
      let calls = 0
      for (let cutAt = 0; cutAt <= calls; cutAt++) {
        for (let seed = 0; seed < 8; seed++) {
          const random = new Random(version * 10_000 + cutAt * 100 + seed)
          const survival = seed < 2 ? seed : random.next()
          const survives = () => random.next() < survival
          const disk = new MemoryDisk()
          for (let earlier = 1; earlier < version; earlier++) await write(disk, earlier)
          let made = 0
          let cut: MemoryDisk | undefined
          disk.beforeCall = () => {
            if (made++ === cutAt) cut = disk.powerCut(survives)
          }
          await write(disk, version)
          disk.beforeCall = () => {}
          calls = made
          const found = await read(cut ?? disk.powerCut(survives))
          if (!cut) expect(found, `version ${version}`).toBe(version)
          if (found === version) after++
          else if (found === version - 1) before++
          else throw new Error(`version ${found} after a cut at call ${cutAt} of version ${version}`)
        }
      }
    }
    expect(before).toBeGreaterThan(20)
    expect(after).toBeGreaterThan(20)
  })

  it('meets each failing call with an error, and is written by the next try', async () => {
    let failures = 0
    for (let version = 1; version <= 3; version++) {
      for (let failAt = 0; ; failAt++) {
        const disk = new MemoryDisk()
        for (let earlier = 1; earlier < version; earlier++) await write(disk, earlier)
        let made = 0
        let failed = ''
        disk.beforeCall = (call, path) => {
          if (made++ !== failAt) return
          failed = `${call} of ${path}`
          throw Object.assign(new Error('EIO'), { code: 'EIO' })
        }
        const outcome = await write(disk, version).then(
          () => 'written',
          () => 'refused',
        )
        disk.beforeCall = () => {}
        if (failed === '') break
        expect(outcome, failed).toBe('refused')
        failures++
        const found = await read(disk)
        expect([version, version - 1], failed).toContain(found)
        await write(disk, version)
        expect(await read(disk.powerCut()), failed).toBe(version)
        expect(
          disk.list(folder).filter((name) => name.endsWith('.tmp')),
          failed,
        ).toEqual([])
      }
    }
    expect(failures).toBeGreaterThan(10)
  })
})
