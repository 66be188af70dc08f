import { errnoOf } from '../../base/errno.js'
import { exitCodes } from '../exit-codes.js'
import { CliFailure, inputFailure } from '../failure.js'
import { count, duration } from '../number-format.js'
import { askControl, type ControlAnswer } from './control.js'

/** Has the standby that runs in a folder take over. */
export async function promoteStandby(dir: string, flags: { readonly json?: boolean }): Promise<void> {
  const answer = await ask(dir)
  if (!answer) {
    throw inputFailure(`No standby runs in ${dir}. Start "tidemark standby" there, and promote it then.`)
  }
  if (!answer.ok) {
    const code = String(answer['code'] ?? 'TIDEMARK_STANDBY')
    const exitCode = code === 'TIDEMARK_FENCED' ? exitCodes.mismatch : exitCodes.failed
    throw new CliFailure(code as `TIDEMARK_${string}`, String(answer['message']), exitCode)
  }
  const { epoch, lsn, elapsedMs } = answer as unknown as { epoch: number; lsn: number; elapsedMs: number }
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ epoch, lsn, elapsedMs })}\n`
      : `Promoted in ${duration(elapsedMs)}: it is the primary of epoch ${epoch}, from LSN ${count(lsn)}.\n`,
  )
}

async function ask(dir: string): Promise<ControlAnswer | undefined> {
  try {
    return await askControl(dir, 'promote')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw inputFailure(`There is no folder ${dir}.`)
    throw error
  }
}
