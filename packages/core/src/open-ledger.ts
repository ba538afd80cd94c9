// The ledger of an engine that names it by its place, with the key that signs it.
import { statSync } from 'node:fs'
import { createSigner } from '@sudoagent/crypto'
import { type ControlWriter, type LedgerWriter, openLedgerWriter } from '@sudoagent/ledger'
import { readOrMakeKey } from './signing-key.js'

export interface LedgerPlace {
  /** A path (`ledger.sqlite`, `ledger.jsonl`) or a URL (`postgres://…`). */
  readonly place: string
  /** Of a file that is not there yet; default: by its name. */
  readonly kind?: 'sqlite' | 'jsonl' | undefined
  /** PEM, or the path of a file of it. */
  readonly privateKey: string | undefined
  readonly passphrase: string | undefined
}

/**
 * Opens the ledger, and begins it where it is new.
 *
 * @throws LedgerError; and as `readOrMakeKey`
 */
export async function openLedgerAt(ledger: LedgerPlace): Promise<LedgerWriter & ControlWriter> {
  const { place, kind, privateKey, passphrase } = ledger
  const options = kind === undefined ? {} : { kind }
  if (privateKey === undefined) {
    warnUnsigned()
    return openLedgerWriter(place, options)
  }
  const signer = createSigner(readOrMakeKey(privateKey, { passphrase, mayMake: isNew(place) }))
  return openLedgerWriter(place, { ...options, signer })
}

/** Whether there is no ledger yet. Of a ledger that is not a file, that is not known. */
function isNew(place: string): boolean {
  if (/^[a-z][a-z0-9+.-]+:/i.test(place)) return place.startsWith('memory:')
  return (statSync(place, { throwIfNoEntry: false })?.size ?? 0) === 0
}

let isWarned = false

function warnUnsigned(): void {
  if (isWarned) return
  isWarned = true
  process.emitWarning(
    'the evidence is unsigned: whoever can write to the ledger can change it; give `privateKey: "ledger.key.pem"`, which is made for a new ledger',
    { code: 'SUDOAGENT_UNSIGNED' },
  )
}
