import type { EntryDraft } from '../packages/ledger/dist/index.js'

/** Call number `n`. */
export function allowedCall(n: number): { readonly decision: EntryDraft; readonly outcome: EntryDraft }
