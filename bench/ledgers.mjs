// Builds large ledgers for measurements once, and keeps them in the caller's folder.
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createSigner, parsePrivateKey } from '../packages/crypto/dist/index.js'
import { JsonlLedger } from '../packages/ledger/dist/store/jsonl/ledger.js'
import { SqliteLedger } from '../packages/ledger/dist/store/sqlite/ledger.js'
import { allowedCall } from './call.mjs'

const AT_A_TIME = 512

// The key is the same in every run, so that a kept ledger still has its signer. The key protects nothing.
const PEM = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
`

export const signer = createSigner(parsePrivateKey(PEM))

/**
 * Returns the path of a ledger of calls with their outcomes. Including the genesis entry, the ledger has `entries`
 * entries, or one more.
 *
 * @param kind - `sqlite` or `jsonl`
 */
export async function keptLedger(folder, kind, entries, { signed = false } = {}) {
  const path = join(folder, `${entries}-${signed ? 'signed' : 'unsigned'}.${kind}`)
  if (existsSync(path)) return path
  // The ledger is renamed when it is complete, so that an interrupted run does not leave a smaller ledger for the next
  // one.
  const unfinished = join(folder, `unfinished-${process.pid}.${kind}`)
  const options = signed ? { signer } : {}
  const ledger = kind === 'sqlite' ? SqliteLedger.open(unfinished, options) : JsonlLedger.open(unfinished, options)
  await appendCalls(ledger, 0, Math.floor(entries / 2))
  await ledger.close()
  for (const beside of ['.tree', '.head', '.lock', '']) {
    if (existsSync(`${unfinished}${beside}`)) renameSync(`${unfinished}${beside}`, `${path}${beside}`)
  }
  return path
}

/** Appends the decisions and outcomes of calls `from` to `to`. */
export async function appendCalls(ledger, from, to) {
  for (let first = from; first < to; first += AT_A_TIME) {
    const group = Array.from({ length: Math.min(AT_A_TIME, to - first) }, (_, i) => allowedCall(first + i))
    await Promise.all(group.flatMap(({ decision, outcome }) => [ledger.append(decision), ledger.append(outcome)]))
  }
}
