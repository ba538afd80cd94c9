// A policy in a file: an agent works in one folder, and the policy interprets paths as the tools do.
import { strict as assert } from 'node:assert'
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApprovalDenied, ImmediateApprover, SudoEngine } from '@sudoagent/core'
import { select } from '@sudoagent/ledger'
import { MemoryLedger } from '@sudoagent/ledger/memory'
import { loadPolicy } from '@sudoagent/policy'

const root = join(realpathSync('.'), 'workspace')
mkdirSync(root)
symlinkSync('/etc', join(root, 'shortcut'))
writeFileSync(
  'policy.yaml',
  `sudoagent_policy: 1
id: workspace
version: 1
rules:
  - id: no-dotfiles
    args: { path: { root: ${root}, glob: ['**/.*', '**/.*/**'] } }
    effect: deny
    reason: hidden files are not for agents
  - id: reads
    tool: read_file
    args: { path: { root: ${root}, glob: '**', resolve_symlinks: true } }
    effect: allow
    reason: reading inside the workspace
  - id: writes
    tool: write_file
    args: { path: { root: ${root}, glob: '**', resolve_symlinks: true } }
    effect: require_approval
    reason: somebody looks at what is written
`,
)

const ledger = new MemoryLedger()
const engine = new SudoEngine({
  policy: await loadPolicy('policy.yaml'),
  agentId: 'writer',
  ledger,
  approver: new ImmediateApprover(true, { approverId: 'editor' }),
})
const readFile = engine.guard(async ({ path }: { path: string }) => `text of ${path}`, { action: 'read_file' })
const writeFile = engine.guard(async ({ path }: { path: string }) => `wrote ${path}`, { action: 'write_file' })

assert.equal(await readFile({ path: 'notes/today.md' }), 'text of notes/today.md')
assert.equal(await writeFile({ path: 'notes/today.md' }), 'wrote notes/today.md')
for (const path of ['../secrets', '/etc/passwd', '%2e%2e/secrets', 'shortcut/passwd', 'notes/.env']) {
  assert.ok((await readFile({ path }).catch((error: unknown) => error)) instanceof ApprovalDenied, path)
}

const codes: string[] = []
for await (const { json } of select(ledger.reader(), { event: 'decision' })) {
  codes.push((JSON.parse(json) as { decision: { reason_code: string } }).decision.reason_code)
}
assert.deepEqual(codes, [
  'POLICY_RULE:reads',
  'POLICY_RULE:writes',
  'POLICY_NO_RULE',
  'POLICY_NO_RULE',
  'POLICY_RULE_UNCLEAR:no-dotfiles',
  'POLICY_NO_RULE',
  'POLICY_RULE:no-dotfiles',
])
console.log(`${codes.length} decisions, each with its rule`)
