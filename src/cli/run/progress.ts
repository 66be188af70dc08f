import { bytes, count, rate } from '../number-format.js'
import { ProgressBar, RateMeter } from '../progress-bar.js'

export interface ProgressState {
  /** 0 to 1; undefined when the end is not known. */
  readonly fraction: number | undefined
  readonly commands: number
  readonly trades: number
  readonly ratePerSecond: number
  /** Claimed in the log and not yet on disk. */
  readonly lagBytes: number
}

/** One line about a run that is under way. */
export function progressLine(state: ProgressState): string {
  const part = state.fraction === undefined ? '' : `${Math.floor(state.fraction * 100)}%  `
  return (
    `${part}${count(state.commands)} commands  ${count(state.trades)} trades  ` +
    `${rate(state.ratePerSecond)}/s  durable lag ${bytes(state.lagBytes)}`
  )
}

/** Shows a run's progress on a stream, until it is stopped. */
export function runProgress(
  stream: NodeJS.WriteStream,
  state: () => Omit<ProgressState, 'ratePerSecond'>,
): ProgressBar {
  const bar = new ProgressBar(stream)
  const commands = new RateMeter()
  bar.watch(() => {
    const now = state()
    const ratePerSecond = commands.perSecond(now.commands)
    return [now.fraction, progressLine({ ...now, ratePerSecond })]
  })
  return bar
}
