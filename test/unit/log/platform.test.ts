import { existsSync, readdirSync } from 'node:fs'
import * as path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { DurableLog } from '#tidemark/log/index.js'
import { EnginePool } from '#tidemark/pool/index.js'
import { temporaryDirectory } from '../../support/temporary.js'

it('where a folder cannot be synced, a log is refused before anything is written', async () => {
  const real = Object.getOwnPropertyDescriptor(process, 'platform')!
  Object.defineProperty(process, 'platform', { ...real, value: 'win32' })
  onTestFinished(() => void Object.defineProperty(process, 'platform', real))
  const there = temporaryDirectory()
  const refused = { code: 'TIDEMARK_PLATFORM_UNSUPPORTED', details: { platform: 'win32' } }
  await expect(DurableLog.open({ dir: there })).rejects.toMatchObject(refused)
  expect(readdirSync(there)).toEqual([])
  const missing = path.join(there, 'deep', 'log')
  await expect(EnginePool.open({ dir: missing })).rejects.toMatchObject(refused)
  expect(existsSync(path.dirname(missing))).toBe(false)
})
