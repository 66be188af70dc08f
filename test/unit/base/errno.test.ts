import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { reasonOf } from '#tidemark/base/errno.js'
import { makeFolder } from '#tidemark/log/disk/folders.js'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { temporaryDirectory } from '../../support/temporary.js'

function failureOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

describe('the reason of a failure', () => {
  it('is words for a system call, also for one that has none of its own here', () => {
    const dir = temporaryDirectory()
    const long = path.join(dir, 'x'.repeat(300))
    symlinkSync('loop', path.join(dir, 'loop'))
    expect(reasonOf(failureOf(() => readFileSync(long)))).toBe('the name is too long for the file system')
    expect(reasonOf(failureOf(() => readFileSync(path.join(dir, 'loop'))))).toMatch(/circle/)
    const rare = Object.assign(new Error('ENODEV: no such device, read'), { code: 'ENODEV', errno: -19 })
    expect(reasonOf(rare)).toBe('no such device')
  })

  it('is the first line of any other error, without its full stop', () => {
    expect(reasonOf(new Error('It broke.\n  at once'))).toBe('It broke')
    expect(reasonOf('text')).toBe('text')
    expect(reasonOf(undefined)).toBe('undefined')
  })
})

describe('a folder to be made', () => {
  it('where a symbolic link leads nowhere is an error that says so', () => {
    const dir = temporaryDirectory()
    const link = path.join(dir, 'link')
    symlinkSync('nowhere', link)
    expect(() => makeFolder(new NodeDisk(), link)).toThrow(/link: it is a symbolic link to a place that does/)
    mkdirSync(path.join(dir, 'nowhere'))
    makeFolder(new NodeDisk(), link)
  })
})
