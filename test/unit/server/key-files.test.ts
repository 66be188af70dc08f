import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { AdminKeys, KeyStore } from '#tidemark/server/index.js'
import { temporaryDirectory } from '../../support/temporary.js'

/** Makes a second pass each time: a file is looked at once in it. */
function clock(): () => void {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  return () => vi.advanceTimersByTime(1001)
}

describe('a file of keys that a server follows', () => {
  it('may be damaged meanwhile: the keys that were read are kept, and it is reported once', () => {
    const pass = clock()
    const keys = new KeyStore(path.join(temporaryDirectory(), 'keys.json'))
    const failures: unknown[] = []
    keys.onFailure = (error) => failures.push(error)
    const { apiKey } = keys.create({ account: 7 })
    const good = readFileSync(keys.file)
    const bad = [
      '{"version":1,"keys":[',
      '{"version":1,"keys":[null]}',
      '{"version":1,"keys":[{"apiKey":"x","account":-1,"permission":"trade","ips":[],"secret":"s"}]}',
      '{"version":1,"keys":[{"apiKey":"x","account":1,"permission":"trade","ips":[],"publicKey":"no key"}]}',
    ]
    for (const [i, text] of bad.entries()) {
      writeFileSync(keys.file, good)
      pass()
      expect(keys.find(apiKey)?.account).toBe(7)
      writeFileSync(keys.file, text)
      for (let look = 0; look < 3; look++) {
        pass()
        expect(keys.find(apiKey)?.account, text).toBe(7)
      }
      expect(failures, text).toHaveLength(i + 1)
      expect(failures[i]).toMatchObject({ code: 'TIDEMARK_SERVER_KEY_FILE' })
      expect(() => new KeyStore(keys.file)).toThrow(
        expect.objectContaining({ code: 'TIDEMARK_SERVER_KEY_FILE' }),
      )
    }
    chmodSync(keys.file, 0o644)
    pass()
    expect(keys.find(apiKey)?.account).toBe(7)
    writeFileSync(keys.file, '{"version":1,"keys":[]}')
    chmodSync(keys.file, 0o600)
    pass()
    expect(keys.find(apiKey)).toBeUndefined()
    expect(failures).toHaveLength(bad.length + 1)
  })

  it('may be that of the administrators', () => {
    const pass = clock()
    const keys = new AdminKeys(path.join(temporaryDirectory(), 'admin-keys.json'))
    const failures: unknown[] = []
    keys.onFailure = (error) => failures.push(error)
    const key = keys.create('carol')
    for (const text of ['{', '{"version":1,"adminKeys":[{"name":"carol"}]}']) {
      writeFileSync(keys.file, text)
      pass()
      expect([keys.nameOf(key), keys.size]).toEqual(['carol', 1])
    }
    expect(failures).toHaveLength(2)
  })
})
