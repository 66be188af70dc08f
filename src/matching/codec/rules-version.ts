/**
 * Version of the matching rules: it grows whenever the same commands would give another outcome. A log is replayed
 * only by the rules that it was written under; other rules go on from a snapshot behind which nothing was logged.
 *
 * A new flag of a command, such as the side of a cancel-all, changes nothing for the records that were there before, so it needs no
 * new version: an older build finds the difference when it replays such a record, and refuses the log.
 */
export const rulesVersion = 1
