import { readFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { mutants } from '../mutants/mutants.mjs'
import { root } from '../support/run-script.js'

describe('the mutants of the durability code', () => {
  it('each still fit the built code, change it, and name tests that exist', () => {
    expect(mutants.length).toBeGreaterThan(30)
    const names = new Set(mutants.map(({ name }) => name))
    expect(names.size).toBe(mutants.length)
    for (const { name, file, find, replace, tests } of mutants) {
      const built = readFileSync(path.join(root, file), 'utf8')
      expect(built.split(find).length - 1, `${name}: how often its place stands in ${file}`).toBe(1)
      expect(replace, `${name} changes nothing`).not.toBe(find)
      expect(tests.length, `${name} names no test`).toBeGreaterThan(0)
      for (const test of tests) readFileSync(path.join(root, test))
    }
  })
})
