import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../support/run-script.js'

function testFaults(...args: string[]) {
  const script = path.join(root, 'test/faults/run.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal.
  return { status, stdout: stdout.replace(/\u001b\[\d+m/g, ''), stderr }
}

describe('npm run test:faults', () => {
  it.each([
    [['--no-such-test', '5'], /no option --no-such-test/],
    [['--truncate'], /--truncate needs a value/],
    [['--truncate', 'many'], /--truncate is many; give a whole number/],
    [['--truncate=-1'], /--truncate is -1; give a whole number/],
    [['--shard', '3/2'], /--shard is 3\/2; give i\/n/],
  ])('refuses %j in one sentence, with exit code 2', (args, sentence) => {
    const { status, stdout, stderr } = testFaults(...args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(sentence)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  it('lists every counted test with its counts', () => {
    const { status, stdout } = testFaults('--help')
    expect(status).toBe(0)
    expect(stdout).toMatch(/--decoder-fuzz +[\d,]+ +20,000 +decoder-fuzz\.test\.ts/)
    expect(stdout).toMatch(/--power-cut +[\d,]+ +200 +power-cut\.test\.ts/)
  })

  it('runs its shard of so many cases and ends with a table', () => {
    const { status, stdout } = testFaults('--decoder-fuzz', '2000', '--shard', '2/4', 'decoder')
    expect(status).toBe(0)
    const table = stdout.slice(stdout.indexOf('test file'))
    expect(table).toMatch(/^test file +cases +seconds +failures\n/)
    expect(table).toMatch(/^decoder-fuzz\.test\.ts +500 +\d+\.\d +0$/m)
    expect(table).toMatch(/^total +500 +\d+\.\d +0$/m)
  })

  it('knows the count of every test that has one', () => {
    const names = readdirSync(path.join(root, 'test/faults')).filter((name) => name.endsWith('.test.ts'))
    expect(names.length).toBeGreaterThan(10)
    expect(testFaults('--help').stdout).not.toContain('see file')
  })
})
