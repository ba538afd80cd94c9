// By which clock a store decides what has expired.

/** What a call decides by, given what the caller said and what the database says: milliseconds since 1970. */
export type StoreClock = (callersMs: number, databaseMs: number) => number

/** The one that all hosts agree on. */
export const databaseClock: StoreClock = (_, databaseMs) => databaseMs

/** The caller's: for tests of the rules, which set the time. */
export const callersClock: StoreClock = (callersMs) => callersMs
