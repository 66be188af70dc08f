import { readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { withArchive } from '#tidemark/archive/folder.js'
import { emptyManifest, readManifest, writeManifest } from '#tidemark/archive/manifest.js'
import { Decimals } from '#tidemark/archive/parquet/decimals.js'
import { microseconds } from '#tidemark/archive/read/times.js'
import { InstrumentTexts } from '#tidemark/archive/tables/pool-rows.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { MemoryDisk } from '../../support/memory-disk.js'
import { temporaryDirectory } from '../../support/temporary.js'

describe('the manifest of an archive', () => {
  it('is read back as it was written, and is refused with a bit flipped or of another format', () => {
    const [disk, dir] = [new NodeDisk(), temporaryDirectory()]
    expect(readManifest(disk, dir)).toBeUndefined()
    const manifest = {
      ...emptyManifest('pool', 8),
      instruments: [{ id: 0, symbol: 'é"', tickSize: '1', lotSize: '1' }],
    }
    writeManifest(disk, dir, manifest)
    expect(readManifest(disk, dir)).toEqual(manifest)
    const file = path.join(dir, 'manifest.json')
    const text = readFileSync(file)
    expect(JSON.parse(text.toString()).manifest).toEqual(manifest)
    for (let at = 0; at < text.length; at += 3) {
      const flipped = Buffer.from(text)
      flipped[at]! ^= 1
      writeFileSync(file, flipped)
      expect(() => readManifest(disk, dir), `byte ${at}`).toThrow(/is damaged/)
    }
    writeManifest(disk, dir, { ...manifest, format: 2 } as never)
    expect(() => readManifest(disk, dir)).toThrow(/has format 2; this build reads format 1/)
  })
})

describe('the folder of an archive', () => {
  it('is used with a manifest that a power cut leaves, also when the sync of its name failed before', async () => {
    const [disk, dir] = [new MemoryDisk(), '/archive']
    const write = (endLsn: number) =>
      withArchive(disk, dir, 0, async () => writeManifest(disk, dir, { ...emptyManifest('pool', 0), endLsn }))
    await write(64)
    disk.beforeCall = (call, path) => {
      if (call === 'syncDirectory' && path === dir && readManifest(disk, dir)?.endLsn === 128)
        throw Object.assign(new Error('injected'), { code: 'EIO' })
    }
    await expect(write(128)).rejects.toThrow(/Could not sync/)
    disk.beforeCall = () => {}
    await withArchive(disk, dir, 0, async (manifest) => {
      expect(manifest?.endLsn).toBe(128)
      expect(readManifest(disk.powerCut(), dir)).toEqual(manifest)
    })
  })
})

describe('decimals of an archive', () => {
  it('are exact on every grid, and none where 38 digits do not hold them', () => {
    const texts = new InstrumentTexts([
      { id: 0, symbol: 'A', tickSize: '0.01', lotSize: '0.000000000000001' },
      { id: 1, symbol: 'B', tickSize: '100000000000000', lotSize: '2.5' },
    ])
    const decimals = new Decimals(texts)
    const value = (id: number, grid: 'price' | 'quantity', steps: number) => {
      const bytes = decimals.of(id, grid)(steps)
      return bytes && BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
    }
    expect(value(0, 'price', 123)).toBe(1_230_000_000_000_000n)
    expect(value(0, 'quantity', Number.MAX_SAFE_INTEGER)).toBe(BigInt(Number.MAX_SAFE_INTEGER))
    expect(value(1, 'quantity', 3)).toBe(7_500_000_000_000_000n)
    expect(value(1, 'price', 9)).toBe(900_000_000_000_000n * 10n ** 15n)
    expect(value(1, 'price', Number.MAX_SAFE_INTEGER)).toBeUndefined()
  })
})

describe('a moment of a query', () => {
  it('is a Date, microseconds, or a text, in UTC without a zone', () => {
    const noon = Date.parse('2026-01-31T12:00:00Z') * 1000
    expect(microseconds('from', new Date(noon / 1000))).toBe(noon)
    expect(microseconds('from', noon)).toBe(noon)
    for (const text of ['2026-01-31T12:00:00Z', '2026-01-31 12:00', '2026-01-31T13:00+01:00'])
      expect(microseconds('from', text)).toBe(noon)
    expect(microseconds('from', '2026-01-31T12:00:00.000001Z')).toBe(noon + 1)
    expect(microseconds('from', '2026-01-31')).toBe(noon - 12 * 3_600_000_000)
    for (const bad of ['', 'now', '2026-13-01', Number.NaN, new Date(Number.NaN), null])
      expect(() => microseconds('from', bad as never)).toThrow(/^from is /)
  })
})
