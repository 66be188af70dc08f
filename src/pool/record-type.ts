/** The kind that the header of a pool's log names. */
export const poolLogKind = 'pool'

/** The type of the pool's log records: one command and all that it caused. */
export const commandRecordType = 1
/** Flag of a record: more records of the same command follow. */
export const moreRecords = 0x10

/** The type of the records in which a ledger says what it does to accounts: a JSON text each. */
export const ledgerRecordType = 2
