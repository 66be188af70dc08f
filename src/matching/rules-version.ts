/**
 * Version of the matching rules: it grows whenever the same commands would give another outcome. A log is replayed
 * only by the rules that it was written under; other rules go on from a snapshot behind which nothing was logged.
 */
export const rulesVersion = 1
