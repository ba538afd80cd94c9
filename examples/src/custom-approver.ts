// A custom approver: two people must agree. The approver receives the redacted call, and its answer identifies that
// call.
import { strict as assert } from 'node:assert'
import { type ApprovalAnswer, ApprovalDenied, type ApprovalRequest, type Approver, SudoEngine } from '@sudoagent/core'
import { MemoryLedger } from '@sudoagent/ledger/memory'

type Vote = (request: ApprovalRequest) => Promise<boolean>

class FourEyes implements Approver {
  readonly #votes: readonly Vote[]

  constructor(...votes: readonly Vote[]) {
    this.#votes = votes
  }

  async approve(request: ApprovalRequest): Promise<ApprovalAnswer> {
    const votes = await Promise.all(this.#votes.map((vote) => vote(request)))
    const approved = votes.length >= 2 && votes.every((vote) => vote === true)
    return {
      approved,
      approverId: 'four-eyes',
      reason: `${votes.filter(Boolean).length} of ${votes.length}`,
      binding: request.binding,
    }
  }
}

const shown: string[] = []
const alice: Vote = async (request) => {
  shown.push(JSON.stringify(request.kwargs))
  return true
}
const bob: Vote = async ({ kwargs }) => kwargs.environment !== 'production'

const engine = new SudoEngine({
  policy: {
    policyId: 'deploys',
    version: '1',
    evaluate: () => ({ decision: 'require_approval', reason: 'deployments need two approvers' }),
  },
  agentId: 'deployer',
  ledger: new MemoryLedger(),
  approver: new FourEyes(alice, bob),
})
const deploy = engine.guard(
  async (what: { environment: string; api_key: string }) => {
    return `deployed to ${what.environment}`
  },
  { action: 'deploy' },
)

assert.equal(await deploy({ environment: 'staging', api_key: 'k-123' }), 'deployed to staging')
const denied = await deploy({ environment: 'production', api_key: 'k-123' }).catch((error: unknown) => error)
assert.ok(denied instanceof ApprovalDenied)
assert.deepEqual(JSON.parse(shown[0] ?? ''), { environment: 'staging', api_key: '[redacted]' })
console.log(`production: ${denied.reason}`)
