// Defines the fuzzing targets that are files: untrusted ledgers and their side files. Every read operation runs on
// these files, and writers try to append to them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CryptoError, createSigner } from '@sudoagent/crypto'
import { parseCheckpoint } from '@sudoagent/crypto/note'
import {
  callStory,
  LedgerError,
  type LedgerWriter,
  makeReceipt,
  openLedgerReader,
  select,
  verify,
} from '@sudoagent/ledger'
import { exportCsv } from '@sudoagent/ledger/export'
import { inspect } from '@sudoagent/ledger/inspect'
import { JsonlLedger } from '@sudoagent/ledger/jsonl'
import { provePrefix } from '@sudoagent/ledger/proof'
import { SqliteLedger } from '@sudoagent/ledger/sqlite'
import { parseState, verifyFrom } from '@sudoagent/ledger/state'
import { PolicyFileError } from '@sudoagent/policy'
import { WitnessError } from '@sudoagent/witness'
import { expect } from 'vitest'
import { decisionDraft, requestIdOf } from '../support/draft.js'
import { type Evidence, KEY, ORIGIN, vectorsIn } from './evidence.js'
import { bodyOf, type Target, target, text } from './targets.js'

/** Returns whether the error is one of ours: one line, with a code. */
export const isCoded = (error: unknown): boolean =>
  [CryptoError, LedgerError, PolicyFileError, WitnessError].some((kind) => error instanceof kind) &&
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  !error.message.includes('\n')

/** Creates the targets in a new folder, which `remove` deletes. */
export function ledgerTargets(evidence: Evidence): {
  readonly targets: readonly Target[]
  readonly remove: () => void
} {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-fuzz-'))
  const path = join(folder, 'ledger')
  const honest = { head: evidence.head, tree: evidence.tree, cosigned: Buffer.from(evidence.cosigned) }
  const place = (ledger: Uint8Array, files: Partial<Record<keyof typeof honest, Uint8Array>> = {}): void => {
    writeFileSync(path, ledger)
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    for (const [name, bytes] of Object.entries({ ...honest, ...files })) writeFileSync(`${path}.${name}`, bytes)
  }
  const read = (ledger: Uint8Array, files: Partial<Record<keyof typeof honest, Uint8Array>> = {}): Promise<void> => {
    place(ledger, files)
    return readWhole(path, evidence)
  }
  const write = (ledger: Uint8Array, open: (path: string) => LedgerWriter): Promise<void> => {
    place(ledger)
    return writeOn(path, open)
  }
  const options = { signer: createSigner(KEY), origin: ORIGIN }
  const { jsonl, sqlite, head, tree, cosigned } = evidence
  const ledgers = [jsonl, ...vectorsIn('ledger', '.jsonl').filter(({ length }) => length < 20_000)]
  const targets = [
    target('JSONL ledger', 30, ledgers, (bytes) => read(ended(bytes))),
    target('head of a ledger', 60, [head, cosigned], (bytes) => read(jsonl, { head: bytes })),
    target('cosigned checkpoint of a ledger', 60, [cosigned], (bytes) => read(jsonl, { cosigned: bytes })),
    target('tree of a ledger', 60, [tree], (bytes) => read(jsonl, { tree: bytes })),
    target('SQLite ledger', 60, [sqlite], (bytes) => read(ended(bytes))),
    target('writer of a JSONL ledger', 60, ledgers, (bytes) =>
      write(ended(bytes), (file) => JsonlLedger.open(file, options)),
    ),
    target('writer of a SQLite ledger', 60, [sqlite], (bytes) =>
      write(bytes, (file) => SqliteLedger.open(file, options)),
    ),
  ]
  return { targets, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/**
 * Adds a line feed to most inputs that start like a JSONL ledger. Without a final line feed, a reader waits 200 ms
 * for a writer to complete the line.
 */
const ended = (bytes: Uint8Array): Uint8Array =>
  bytes[0] !== 0x7b || bytes.at(-1) === 10 || bytes.length % 64 === 0
    ? bytes
    : Buffer.concat([bytes, Buffer.from('\n')])

/** Runs every read operation on an untrusted ledger. */
async function readWhole(path: string, evidence: Evidence): Promise<void> {
  const reader = await openLedgerReader(path)
  try {
    const { report } = await verifyFrom(reader, {
      publicKeys: [KEY.publicKey],
      checkpoints: [text(evidence.head)],
      maxFindings: 5,
    })
    expect(report.ok).toBe(report.findings_total === 0 && report.entries > 0)
    await verify(reader, { resume: parseState(evidence.state), publicKeys: [KEY.publicKey] })
    // If one operation fails, the others still run.
    const checkpoint = parseCheckpoint(bodyOf(evidence.head))
    const works = [
      () => inspect(reader),
      () => drain(exportCsv(select(reader))),
      () => callStory(reader, { requestId: requestIdOf(3) }),
      () => makeReceipt(reader, { requestId: requestIdOf(1) }),
      () => makeReceipt(reader, { position: 1 }),
      () => provePrefix(reader, 4, checkpoint),
    ]
    for (const work of works) await work().catch(rethrowUncoded)
  } finally {
    await reader.close()
  }
}

/** Appends to an untrusted ledger. The writer either appends or refuses, and never makes a valid ledger invalid. */
async function writeOn(path: string, open: (path: string) => LedgerWriter): Promise<void> {
  const verdict = async () => {
    const reader = await openLedgerReader(path)
    const report = await verify(reader, { publicKeys: [KEY.publicKey] })
    await reader.close()
    return report
  }
  const before = await verdict()
  const ledger = open(path)
  const done = await ledger.append(decisionDraft({ n: 77 })).catch(rethrowUncoded)
  await ledger.close()
  const after = await verdict()
  if (done !== undefined && before.ok) expect(after).toMatchObject({ ok: true, entries: before.entries + 1 })
  if (done === undefined) expect(after.entries).toBe(before.entries)
}

function rethrowUncoded(error: unknown): undefined {
  if (!isCoded(error)) throw error
}

async function drain(parts: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of parts) void _
}
