// Opens the ledger of an engine by its path or URL, with the key that signs it.
import { statSync } from 'node:fs'
import { createSigner } from '@sudoagent/crypto'
import { type ControlWriter, isFilePath, type LedgerWriter, openLedgerWriter } from '@sudoagent/ledger'
import { readOrMakeKey } from './signing-key.js'

export interface LedgerPlace {
  /** A path (`ledger.sqlite`, `ledger.jsonl`) or a URL (`postgres://…`). */
  readonly place: string
  /** The kind of a new file; default: by its name. */
  readonly kind?: 'sqlite' | 'jsonl' | undefined
  /** PEM, or the path of a PEM file. */
  readonly privateKey: string | undefined
  readonly passphrase: string | undefined
}

/**
 * Opens the ledger and, if it is new, writes its genesis entry.
 *
 * @throws LedgerError; errors of `readOrMakeKey`
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

/**
 * Whether the ledger does not exist yet. For a ledger that is not a file this is unknown, and the result is false.
 */
function isNew(place: string): boolean {
  if (!isFilePath(place)) return place.startsWith('memory:')
  return (statSync(place, { throwIfNoEntry: false })?.size ?? 0) === 0
}

let isWarned = false

function warnUnsigned(): void {
  if (isWarned) return
  isWarned = true
  process.emitWarning(
    'the evidence is unsigned: any program that can write to the ledger can change it; set `privateKey: "ledger.key.pem"`, which is created for a new ledger',
    { code: 'SUDOAGENT_UNSIGNED' },
  )
}
