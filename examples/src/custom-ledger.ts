// A custom ledger: every entry is written to two places, and a call runs only if both have it.
import { strict as assert } from 'node:assert'
import { AllowAllPolicy, AuditLogError, SudoEngine } from '@sudoagent/core'
import { type AppendedEntry, type EntryDraft, type LedgerWriter, verify } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'

class MirroredLedger implements LedgerWriter {
  readonly #primary: LedgerWriter
  readonly #mirror: (entryHash: string) => Promise<void>

  constructor(primary: LedgerWriter, mirror: (entryHash: string) => Promise<void>) {
    this.#primary = primary
    this.#mirror = mirror
  }

  async append(draft: EntryDraft): Promise<AppendedEntry> {
    const entry = await this.#primary.append(draft)
    // If this rejects, the call does not run. The primary already has the entry, which is harmless: it is a decision
    // without an outcome.
    await this.#mirror(entry.entryHash)
    return entry
  }

  close(): Promise<void> {
    return this.#primary.close()
  }
}

const primary = new MemoryLedger()
const mirrored: string[] = []
let mirrorIsUp = true
const ledger = new MirroredLedger(primary, async (entryHash) => {
  if (!mirrorIsUp) throw new Error('the mirror is down')
  mirrored.push(entryHash)
})

const engine = new SudoEngine({ policy: new AllowAllPolicy(), agentId: 'bot', ledger })
let runs = 0
const ping = engine.guard(
  async () => {
    runs += 1
  },
  { action: 'ping' },
)

await ping()
mirrorIsUp = false
await assert.rejects(ping(), AuditLogError)
assert.equal(runs, 1, 'without durable evidence nothing runs')

const report = await verify(primary.reader())
assert.equal(report.ok, true)
assert.equal(mirrored.length, 2)
console.log(`ran ${runs} time; ${report.entries} entries, ${report.open} open decision that never ran`)
