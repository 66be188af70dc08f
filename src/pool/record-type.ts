/** The kind that the header of a pool's log names. */
export const poolLogKind = 'pool'

/** The type of the pool's log records: one command and all that it caused. */
export const groupType = 1
/** Flag of a group: more groups of the same command follow. */
export const moreGroups = 0x10
