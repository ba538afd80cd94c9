// Opens an engine's ledger by path or URL, with its signing key.
import { statSync } from 'node:fs'
import { createSigner } from '@sudoagent/crypto'
import { type ControlWriter, isFilePath, type LedgerWriter, openLedgerWriter } from '@sudoagent/ledger'
import { readOrMakeKey } from './signing-key.js'

export interface LedgerPlace {
  /** A path (`ledger.sqlite`, `ledger.jsonl`) or a URL (`postgres://…`). */
  readonly place: string
  /** The kind of a new file. Default: derived from the file name. */
  readonly kind?: 'sqlite' | 'jsonl' | undefined
  /** PEM, or the path of a PEM file. */
  readonly privateKey: string | undefined
  readonly passphrase: string | undefined
}

/**
 * Opens the ledger. Writes a genesis entry if the ledger is new.
 *
 * @throws LedgerError; errors from `readOrMakeKey`
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
 * Whether the ledger does not exist yet. If the ledger is not a file, its existence is unknown, and the result is
 * false.
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
    'the ledger is unsigned: any program with write access can change its entries; set `privateKey: "ledger.key.pem"` (the key file of a new ledger is created automatically)',
    { code: 'SUDOAGENT_UNSIGNED' },
  )
}
