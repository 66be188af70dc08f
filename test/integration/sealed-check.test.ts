import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import * as path from 'node:path'
import { describe, expect, it } from 'vitest'
import { NodeDisk } from '#tidemark/log/disk/node-disk.js'
import { DurableLog } from '#tidemark/log/index.js'
import { checkInParallel } from '#tidemark/log/recover/parallel-check.js'
import { checkState, isCheckedValid, SealedCheck } from '#tidemark/log/recover/sealed-check.js'
import { withoutThreads } from '../support/no-threads.js'
import { temporaryDirectory } from '../support/temporary.js'

/** A closed log of five segments. */
async function writeLog(): Promise<{ dir: string; segments: string[]; lsns: number[] }> {
  const dir = temporaryDirectory()
  const log = await DurableLog.open({ dir, segmentBytes: 65_536, ringBytes: 65_536, maxBatchBytes: 4096 })
  const lsns: number[] = []
  for (let i = 0; i < 270; i++) {
    lsns.push(log.append(Buffer.alloc(1000, i)))
    await log.waitDurable(lsns.at(-1)!)
  }
  await log.close()
  const segments = readdirSync(dir)
    .filter((name) => /^\d+\.wal$/.test(name))
    .sort()
    .map((name) => path.join(dir, name))
  expect(segments.length).toBeGreaterThan(3)
  return { dir, segments, lsns }
}

function flip(file: string, byte: number): void {
  const content = readFileSync(file)
  content[byte]! ^= 0x20
  writeFileSync(file, content)
}

const words = ({ states }: SealedCheck) => [...new Int32Array(states.words)]

describe('the check of sealed segments beside the start of the threads', () => {
  it.each([
    ['in this thread', (check: SealedCheck) => check.run()],
    ['in threads of its own', checkInParallel],
  ])('%s finds valid what is, and leaves to recovery what is not or cannot be read', async (_, run) => {
    const { dir, segments } = await writeLog()
    const disk = new NodeDisk()
    const undamaged = new SealedCheck(disk, dir)
    expect(undamaged.segments).toHaveLength(segments.length - 1)
    await run(undamaged)
    expect(words(undamaged)).toEqual(undamaged.segments.map(() => checkState.valid))
    flip(segments[1]!, 5000)
    const damaged = new SealedCheck(disk, dir)
    writeFileSync(segments[2]!, readFileSync(segments[2]!).subarray(0, 9000))
    await run(damaged)
    const { doubtful, valid: good } = checkState
    expect(words(damaged)).toEqual(undamaged.segments.map((_, i) => (i === 1 || i === 2 ? doubtful : good)))
  })

  it('fails with a code when the system refuses its threads, and notes nothing', async () => {
    const { dir } = await writeLog()
    const check = new SealedCheck(new NodeDisk(), dir)
    await expect(withoutThreads(() => checkInParallel(check))).rejects.toMatchObject({
      code: 'TIDEMARK_THREAD_DIED',
    })
    expect(words(check)).toEqual(check.segments.map(() => checkState.pending))
  })

  it('leaves to the recovery what it has not come to, and what it does not know', async () => {
    const { dir, segments } = await writeLog()
    const check = new SealedCheck(new NodeDisk(), dir)
    const running = check.run()
    check.stop()
    await running
    for (const lsn of check.states.firstLsns) expect(isCheckedValid(check.states, lsn)).toBe(false)
    expect(isCheckedValid(check.states, 8)).toBe(false)
    flip(segments[0]!, 0)
    flip(segments[0]!, 2048)
    expect(new SealedCheck(new NodeDisk(), dir).segments).toHaveLength(segments.length - 2)
  })

  it('makes a flipped bit anywhere in a sealed segment refuse the log, by file, offset and LSN', async () => {
    const { dir, segments, lsns } = await writeLog()
    for (const [i, file] of segments.slice(0, -1).entries()) {
      flip(file, 4096 + 1100)
      const firstLsn = Number(path.basename(file).slice(0, 20))
      const lsn = lsns.findLast((end) => end <= firstLsn + 1100) ?? 0
      await expect(DurableLog.open({ dir }), `segment ${i}`).rejects.toMatchObject({
        code: 'TIDEMARK_LOG_CORRUPT',
        details: { file, lsn: Math.max(lsn, firstLsn), offset: expect.any(Number) },
      })
      flip(file, 4096 + 1100)
    }
    const log = await DurableLog.open({ dir })
    expect(log.recovery).toMatchObject({ segments: segments.length, tornTail: undefined })
    await log.close()
  })
})
