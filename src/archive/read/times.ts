import { shown } from '../../base/shown.js'
import { ArchiveError } from '../errors.js'

/** A moment: a Date, microseconds since 1970 as in `timeUs`, or a text such as `2026-01-31` or `2026-01-31T12:00:00Z`. */
export type Moment = Date | number | string

/** Microseconds since 1970. A text without a zone is UTC. @throws ArchiveError `TIDEMARK_ARCHIVE_QUERY`. */
export function microseconds(option: string, moment: Moment): number {
  if (typeof moment === 'number' && Number.isFinite(moment)) return moment
  if (moment instanceof Date && !Number.isNaN(moment.getTime())) return moment.getTime() * 1000
  if (typeof moment === 'string') {
    const us = ofText(moment)
    if (us !== undefined) return us
  }
  throw new ArchiveError(
    'TIDEMARK_ARCHIVE_QUERY',
    `${option} is ${shown(moment)}; use a Date, microseconds since 1970, or a text such as 2026-01-31T12:00:00Z.`,
    { option, value: moment },
  )
}

const textPattern = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)?)?$/

function ofText(text: string): number | undefined {
  const [, day, clock = '00:00:00', fraction = '', zone = 'Z'] = textPattern.exec(text) ?? []
  if (day === undefined) return undefined
  const ms = Date.parse(`${day}T${clock}${zone}`)
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(fraction.padEnd(6, '0'))
}
