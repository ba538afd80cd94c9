// A custom policy: working hours, a list of tables, and a policy hash that covers this list.
import { strict as assert } from 'node:assert'
import { ApprovalDenied, type Context, type Policy, type PolicyResult, SudoEngine } from '@sudoagent/core'
import { sha256Hex } from '@sudoagent/crypto'
import { encodeCanonical } from '@sudoagent/crypto/json'
import { MemoryLedger } from '@sudoagent/ledger/memory'

class TablePolicy implements Policy {
  readonly policyId = 'tables'
  readonly version = '2'
  readonly policyHash: string
  readonly #tables: ReadonlySet<string>

  constructor(tables: readonly string[]) {
    this.#tables = new Set(tables)
    // The rules are data, so the hash must cover the data: the source of `evaluate` is the same for every list.
    this.policyHash = sha256Hex(encodeCanonical({ policy: this.policyId, version: this.version, tables }))
  }

  evaluate({ action, args }: Context): PolicyResult {
    const [table] = args
    if (action === 'read_table' && typeof table === 'string' && this.#tables.has(table)) {
      return { decision: 'allow', reason: 'a table that agents may read' }
    }
    return { decision: 'deny', reason: 'not on the list', reasonCode: 'TABLE_NOT_LISTED' }
  }
}

const engine = new SudoEngine({
  policy: new TablePolicy(['flights', 'airports']),
  agentId: 'analyst',
  ledger: new MemoryLedger(),
})
const read = engine.guard(async (table: string) => `rows of ${table}`, { action: 'read_table' })

assert.equal(await read('flights'), 'rows of flights')
const denied = await read('salaries').catch((error: unknown) => error)
assert.ok(denied instanceof ApprovalDenied)
assert.equal(denied.code, 'TABLE_NOT_LISTED')
console.log(`salaries: ${denied.reason}`)
