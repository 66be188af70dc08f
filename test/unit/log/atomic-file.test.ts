import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  AtomicFile,
  AtomicFileSync,
  isTemporaryName,
  removeTemporaries,
} from '#tidemark/log/disk/atomic-file.js'
import type { AsyncDisk, Disk } from '#tidemark/log/disk/disk.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { Random } from '../../support/random.js'
import { temporaryDirectory } from '../../support/temporary.js'

const folder = '/small'
const target = `${folder}/state`
const before = Buffer.alloc(3000, 'before')
const after = Buffer.alloc(5000, 'after')
const pieces = [after.subarray(0, 1500), after.subarray(1500, 1600), after.subarray(1600)]

const failure = (code: string) => Object.assign(new Error(code), { code })

/** Both forms, as one that is awaited. */
const forms = {
  'on an event loop': (disk: Disk) => AtomicFile.create(disk, folder, 'state'),
  'in a thread of its own': async (disk: Disk) => new AtomicFileSync(disk, folder, 'state'),
}

async function replace(
  disk: Disk,
  create: (disk: Disk) => Promise<AtomicFile | AtomicFileSync>,
): Promise<void> {
  const file = await create(disk)
  try {
    for (const piece of pieces) await file.write(piece)
    await file.publish('state')
  } catch (error) {
    await file.discard()
    throw error
  }
}

function diskWithTarget(): MemoryDisk {
  const disk = new MemoryDisk()
  disk.replace(target, before)
  return disk
}

describe.each(Object.entries(forms))('an atomic file, written %s,', (_, create) => {
  it('is there as it was or as it is to be after a power cut at any call, and as it is to be when published', async () => {
    let calls = 1
    const outcomes = { before: 0, after: 0 }
    for (let cutAt = 0; cutAt <= calls; cutAt++) {
      for (let seed = 0; seed < 20; seed++) {
        const random = new Random(seed * 100 + cutAt)
        const survival = seed % 4 === 0 ? seed % 8 : random.next()
        const survives = () => random.next() < survival
        const disk = diskWithTarget()
        let cut: MemoryDisk | undefined
        let made = 0
        disk.beforeCall = () => {
          if (made++ === cutAt) cut = disk.powerCut(survives)
        }
        await replace(disk, create)
        calls = made
        const found = (cut ?? disk.powerCut(survives)).contentOf(target)
        if (found?.equals(after)) outcomes.after++
        else if (found?.equals(before)) outcomes.before++
        else
          throw new Error(
            `cut before call ${cutAt}: a file of ${found?.byteLength} bytes that were never written`,
          )
        if (!cut) expect(found?.equals(after)).toBe(true)
      }
    }
    // Create, three writes, sync, close, rename, sync of the folder.
    expect(calls).toBe(8)
    expect(outcomes.before).toBeGreaterThan(20)
    expect(outcomes.after).toBeGreaterThan(20)
  })

  it.each(['create', 'write', 'syncData', 'close', 'rename', 'syncDirectory'] as const)(
    'that meets a failing %s rejects with its errno, leaves no temporary file, and is not tried again',
    async (failing) => {
      const disk = diskWithTarget()
      let fails = 0
      disk.beforeCall = (call) => {
        if (call !== failing) return
        // A second try of the same call would succeed.
        if (fails++ === 0) throw failure('EIO')
      }
      await expect(replace(disk, create)).rejects.toMatchObject({
        code: 'TIDEMARK_LOG_IO',
        details: { errno: 'EIO' },
      })
      expect(fails).toBe(1)
      expect(disk.list(folder)).toEqual(['state'])
      const inPlace = failing === 'syncDirectory' ? after : before
      expect(disk.contentOf(target)?.equals(inPlace)).toBe(true)
    },
  )

  it('stays failed after a failed sync, with the same error', async () => {
    const disk = diskWithTarget()
    const file = await create(disk)
    await file.write(after)
    disk.beforeCall = (call) => {
      if (call === 'syncData') throw failure('EIO')
    }
    const publish = async () => file.publish('state')
    const first = await publish().catch((error) => error)
    disk.beforeCall = () => {}
    expect(await publish().catch((error) => error)).toBe(first)
    expect(await (async () => file.write(after))().catch((error) => error)).toBe(first)
    await file.discard()
    expect(disk.list(folder)).toEqual(['state'])
    expect(disk.contentOf(target)?.equals(before)).toBe(true)
  })

  it('is whole though the system takes a part of each write', async () => {
    const disk = diskWithTarget()
    disk.writeLimit = (bytes) => Math.ceil(bytes / 3)
    await replace(disk, create)
    expect(disk.contentOf(target)?.equals(after)).toBe(true)
  })

  it('says so when the system takes nothing', async () => {
    const disk = diskWithTarget()
    disk.writeLimit = () => 0
    await expect(replace(disk, create)).rejects.toMatchObject({ code: 'TIDEMARK_LOG_IO' })
    expect(disk.list(folder)).toEqual(['state'])
  })

  it('does not replace one of its name that was created later, whichever is published first', async () => {
    const disk = diskWithTarget()
    const older = await create(disk)
    const newer = await create(disk)
    await newer.write(Buffer.from('newer'))
    await older.write(Buffer.from('older'))
    expect(await newer.publish('state')).toBe(true)
    expect(await older.publish('state')).toBe(false)
    expect(disk.contentOf(target)?.toString()).toBe('newer')
    expect(disk.list(folder)).toEqual(['state'])
    const newest = await create(disk)
    await newest.write(Buffer.from('newest'))
    expect(await newest.publish('state')).toBe(true)
    expect(disk.powerCut().contentOf(target)?.toString()).toBe('newest')
  })

  it('has a temporary name of its own, which the owner of the folder finds and removes after a crash', async () => {
    const disk = diskWithTarget()
    for (let i = 0; i < 3; i++) await (await create(disk)).write(after)
    disk.replace(`${folder}/notes.tmp`, before)
    const names = disk.list(folder).filter(isTemporaryName)
    expect(new Set(names).size).toBe(3)
    removeTemporaries(disk, folder)
    expect(disk.list(folder).sort()).toEqual(['notes.tmp', 'state'])
  })
})

describe('atomic files of one event loop', () => {
  it('that are published at once end with the one that was created last, whatever each call takes', async () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new Random(seed)
      const disk = diskWithTarget()
      // The name was taken by what came first to the disk: so each call waits a random number of turns.
      const slow = slowCalls(disk, random)
      const contents = Array.from({ length: 4 }, (_, i) => Buffer.alloc(100 + i, `content ${i} `))
      await Promise.all(contents.map((content) => AtomicFile.write(slow, target, [content])))
      expect(disk.contentOf(target)?.equals(contents.at(-1)!), `seed ${seed}`).toBe(true)
      expect(disk.list(folder)).toEqual(['state'])
    }
  })

  it('are published together in their order, with one sync of the folder', () => {
    const disk = new MemoryDisk()
    const files = []
    for (const name of ['a', 'b', 'c']) {
      const file = new AtomicFileSync(disk, folder, name)
      file.write(Buffer.from(name))
      file.finish()
      files.push({ file, name })
    }
    AtomicFileSync.publishAll(files)
    const named = disk.calls.filter((call) => /^(rename|syncDirectory)/.test(call))
    expect(named.map((call) => call.replace(/\..*/, ''))).toEqual([
      'rename a',
      'rename b',
      'rename c',
      'syncDirectory small',
    ])
    expect(disk.powerCut().list(folder).sort()).toEqual(['a', 'b', 'c'])
  })

  it('work on the disk of the machine, with a header that is written last', async () => {
    const dir = temporaryDirectory()
    const disk = new NodeDisk()
    const file = await AtomicFile.create(disk, dir, 'state')
    await file.write(Buffer.from('HEADER'))
    await file.write(Buffer.from(' and body'))
    await file.write(Buffer.from('header'), 0)
    expect(readdirSync(dir).filter(isTemporaryName)).toHaveLength(1)
    expect(await file.publish('state')).toBe(true)
    expect(readFileSync(`${dir}/state`, 'utf8')).toBe('header and body')
    const thread = new AtomicFileSync(disk, dir, 'state')
    thread.write(Buffer.from('from a thread'))
    expect(thread.bytes).toBe(13)
    expect(thread.publish('state')).toBe(true)
    expect(readFileSync(`${dir}/state`, 'utf8')).toBe('from a thread')
    expect(readdirSync(dir)).toEqual(['state'])
  })
})

function slowCalls(disk: MemoryDisk, random: Random): Disk {
  const async = Object.fromEntries(
    Object.entries(disk.async).map(([name, call]) => [
      name,
      async (...args: unknown[]) => {
        for (let turns = random.int(8); turns > 0; turns--) await null
        const value = await (call as (...args: unknown[]) => Promise<unknown>)(...args)
        for (let turns = random.int(8); turns > 0; turns--) await null
        return value
      },
    ]),
  ) as unknown as AsyncDisk
  return { async } as unknown as Disk
}
