/**
 * Version of the matching rules: it grows whenever the same commands would give another outcome. A log is replayed
 * only under the rules that it was written under. Under other rules a pool can only open from a snapshot after which nothing
 * was logged.
 *
 * A new flag of a command, such as the side of a cancel-all, changes nothing for the records that were there before, so it needs no
 * new version: an older build finds the difference when it replays such a record, and refuses the log.
 */
export const rulesVersion = 3
