// Selects the clock that a store uses to decide expiry.

/** Selects the time that decides expiry: the caller's time or the database time, as Unix time in milliseconds. */
export type StoreClock = (callersMs: number, databaseMs: number) => number

/** Selects the database clock, on which all hosts agree. */
export const databaseClock: StoreClock = (_, databaseMs) => databaseMs
