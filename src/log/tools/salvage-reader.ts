import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Disk } from '../disk/disk.js'
import { NodeDisk } from '../disk/node-disk.js'
import { badSetting } from '../errors.js'
import { checkOptions, optionNames } from '../options.js'
import type { LogRecord } from '../read/log-record.js'
import { type DamageReport, damageOf } from '../recover/damage-report.js'
import { type SkippedRange, salvageLog } from './salvage.js'

/** A record that was found in a damaged log. */
export interface SalvagedRecord extends LogRecord {
  /** Whether it is only the rest of a record, whose beginning is lost. */
  readonly lacksBeginning: boolean
}

interface SalvageOptions {
  /** Where the folder is; the file system unless stated. */
  readonly disk?: Disk | undefined
}

const salvageOptions = optionNames<SalvageOptions>({ disk: true })

/**
 * Opens a log for salvage: reads every record that is still valid, also after damage, and lists what it had to skip.
 * It takes no lock and changes nothing. What comes out is evidence and not a log: after a gap it is not known what is
 * missing, and the records of a torn tail were never acknowledged. It is iterated once.
 *
 * @example
 * ```js
 * import { DurableLog, SalvageReader } from 'tidemark/log'
 *
 * const log = await DurableLog.open({ dir: './log' })
 * log.append(new TextEncoder().encode('hello'))
 * await log.close()
 *
 * const salvage = new SalvageReader('./log')
 * for await (const record of salvage) console.log(record.lsn, record.payload)
 * for (const { fromLsn, toLsn, file } of salvage.skipped) console.log(fromLsn, toLsn, file)
 * ```
 */
export class SalvageReader implements AsyncIterable<SalvagedRecord> {
  readonly #disk: Disk
  readonly #directory: string
  readonly #skipped: SkippedRange[] = []
  #damage: readonly DamageReport[] | undefined

  /** @throws LogError `TIDEMARK_BAD_SETTING`. */
  constructor(directory: string, options: SalvageOptions = {}) {
    checkOptions('SalvageReader', options, salvageOptions)
    if (typeof directory !== 'string' || directory === '')
      throw badSetting('directory', directory, 'the path of a folder')
    this.#directory = directory
    this.#disk = options.disk ?? new NodeDisk()
  }

  /** What was skipped so far, in the order of the log; all of it when the iteration has ended. */
  get skipped(): readonly SkippedRange[] {
    return this.#skipped
  }

  /** All that is wrong with the log; `undefined` before the iteration has come to the log's end. */
  get damage(): readonly DamageReport[] | undefined {
    return this.#damage
  }

  /** @throws LogError `TIDEMARK_LOG_IO` when the folder, or too much of a file, can't be read; `TIDEMARK_LOG_FORMAT`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<SalvagedRecord, void> {
    const found: SalvagedRecord[] = []
    const steps = salvageLog(this.#disk, this.#directory, {
      record: ({ lsn, type, flags, timestampUs, payload, lacksBeginning }) => {
        found.push({ lsn, type, flags, timestampUs, payload: Uint8Array.from(payload), lacksBeginning })
      },
      skipped: (range) => void this.#skipped.push(range),
    })
    try {
      for (;;) {
        const step = steps.next()
        yield* found.splice(0)
        if (step.done) {
          this.#damage = step.value.inspection.damage.map((found) => damageOf(found))
          return
        }
        if (step.value.waitMs > 0) await setTimeout(step.value.waitMs)
        else await setImmediate()
      }
    } finally {
      // A loop that is left early leaves no file open.
      steps.return(undefined as never)
    }
  }
}
