// Selects the clock by which a store decides expiry.

/** Returns the deciding time from the caller's and the database's time, in milliseconds since 1970. */
export type StoreClock = (callersMs: number, databaseMs: number) => number

/** The clock of the database, on which all hosts agree. */
export const databaseClock: StoreClock = (_, databaseMs) => databaseMs
