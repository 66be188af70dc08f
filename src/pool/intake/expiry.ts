import { type Command, CommandError } from '../../matching/index.js'

/**
 * Refuses a new GTD order whose time is over, or is now: it would rest until the next `expire`, and could trade before that.
 *
 * @throws CommandError `TIDEMARK_FIELD_RANGE`.
 */
export function checkExpiry(command: Command, nowMs: number): void {
  if (command.type !== 'new' || command.timeInForce !== 'GTD') return
  const { expireTime } = command
  // What is no time is refused with the rest of the command.
  if (typeof expireTime !== 'number' || expireTime > nowMs) return
  const message = `expireTime must be after now, ${nowMs} (refuseExpired), not ${expireTime}.`
  throw new CommandError('TIDEMARK_FIELD_RANGE', 'expireTime', expireTime, message)
}
