/**
 * Version of the matching rules: it grows whenever the same commands would give another outcome. A log is replayed
 * only by the rules that it was written under.
 */
export const rulesVersion = 1
