/**
 * A counter in a separate file outside the ledger: the position up to which this writer has written.
 *
 * An attacker who can replace the ledger files can restore an older copy while the writer is not running. Because the
 * copy is consistent, the writer would append to the copy and thus sign a second history. With a counter, the writer
 * detects that its last entry is missing.
 *
 *     sudoagent ledger counter v1
 *     00000000000000041 8ff560026ece4f28753ffb6b3f5249bb1a9c7a15b95e9710b0a3b4df43cbdb6c
 *
 * The file contains the position and the hash of the last entry, as text of fixed length that is overwritten after
 * each append. The counter protects only if the attacker cannot write to the file: keep it in a separate folder, on a
 * separate disk, or in a separate backup. The file is not synced to disk: after a power failure, the counter may lag
 * the ledger by a few entries, but is never ahead.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { type Hash, isHash } from '@sudoagent/crypto'
import type { EntryDraft } from '../entry/entry.js'
import { parseLine } from '../entry/line.js'
import { LedgerError } from '../error.js'
import { asLedgerError } from '../file.js'
import type { LedgerReader } from '../port/reader.js'
import type { AppendedEntry, AppendOptions, ControlWriter, LedgerWriter, PreparedEntry } from '../port/writer.js'

export interface CounterOptions {
  /** Path of the counter. The first append creates it. */
  readonly file: string
  /** Opens the same ledger for reading, to look for the last written entry. Called only if the counter exists. */
  readonly openReader: () => Promise<LedgerReader>
}

interface Count {
  readonly position: number
  readonly entryHash: string
}

const HEAD = 'sudoagent ledger counter v1\n'
const POSITION_DIGITS = 17
const FORM = /^sudoagent ledger counter v1\n(\d{17}) ([0-9a-f]{64})\n$/
const LENGTH = HEAD.length + POSITION_DIGITS + 1 + 64 + 1

/**
 * Wraps a writer. Refuses a ledger that lacks the last written entry, and updates the counter after each append.
 *
 * @param ledger - a newly opened writer; closed if the ledger is refused
 * @throws (as a rejection) LedgerError LEDGER_DAMAGED if the counted entry is not in the ledger, LEDGER_NOT_A_LEDGER
 * if the file is not a counter; errors from the reader and the file system
 * @example
 * const counter = { file: '/var/lib/agent/ledger.counter', openReader: () => openLedgerReader('ledger.sqlite') }
 * const ledger = await withCounter(SqliteLedger.open('ledger.sqlite', { signer }), counter)
 */
export async function withCounter(
  ledger: LedgerWriter & ControlWriter,
  options: CounterOptions,
): Promise<LedgerWriter & ControlWriter>
export async function withCounter(ledger: LedgerWriter, options: CounterOptions): Promise<LedgerWriter>
export async function withCounter(
  ledger: LedgerWriter & Partial<ControlWriter>,
  { file, openReader }: CounterOptions,
): Promise<LedgerWriter & Partial<ControlWriter>> {
  let fd: number | null = null
  try {
    fd = openCounter(file)
    const count = readCount(fd, file)
    if (count !== null) await requireEntry(count, file, openReader)
    return new CountedLedger(ledger, fd, file, count)
  } catch (error) {
    if (fd !== null) closeSync(fd)
    await ledger.close()
    throw error
  }
}

class CountedLedger implements LedgerWriter, Partial<ControlWriter> {
  readonly #ledger: LedgerWriter
  readonly #fd: number
  readonly #file: string
  #position: number
  #isClosed = false
  // These methods exist only if the wrapped ledger has them; the engine checks whether they exist.
  readonly begin?: () => Promise<void>
  readonly aheadMs?: () => Promise<number>
  readonly prepare?: (draft: EntryDraft) => PreparedEntry
  readonly ask?: NonNullable<LedgerWriter['ask']>
  readonly firstHash?: () => Promise<Hash | null>
  readonly openQuestions?: NonNullable<LedgerWriter['openQuestions']>
  readonly recordOutcome?: NonNullable<LedgerWriter['recordOutcome']>
  readonly addKey?: ControlWriter['addKey']
  readonly retireKey?: ControlWriter['retireKey']
  readonly seal?: ControlWriter['seal']
  readonly stop?: ControlWriter['stop']
  readonly resume?: ControlWriter['resume']

  constructor(ledger: LedgerWriter & Partial<ControlWriter>, fd: number, file: string, count: Count | null) {
    this.#ledger = ledger
    this.#fd = fd
    this.#file = file
    this.#position = count?.position ?? 0
    if (ledger.begin !== undefined) this.begin = () => ledger.begin?.() ?? Promise.resolve()
    if (ledger.firstHash !== undefined) this.firstHash = () => ledger.firstHash?.() ?? Promise.resolve(null)
    if (ledger.openQuestions !== undefined)
      this.openQuestions = (filter) => ledger.openQuestions?.(filter) ?? Promise.resolve([])
    if (ledger.aheadMs !== undefined) this.aheadMs = () => ledger.aheadMs?.() ?? Promise.resolve(0)
    const { ask, recordOutcome, addKey, retireKey, seal, stop, resume } = ledger
    if (ask !== undefined)
      this.ask = async (question, asking) => this.#counted(await ask.call(ledger, question, asking))
    if (recordOutcome !== undefined)
      this.recordOutcome = async (requestId, outcome) =>
        this.#counted(await recordOutcome.call(ledger, requestId, outcome))
    if (addKey !== undefined) this.addKey = async (signer) => this.#counted(await addKey.call(ledger, signer))
    if (retireKey !== undefined) this.retireKey = async (keyId) => this.#counted(await retireKey.call(ledger, keyId))
    if (seal !== undefined) this.seal = async () => this.#counted(await seal.call(ledger))
    if (resume !== undefined)
      this.resume = async (stopId, note) => this.#counted(await resume.call(ledger, stopId, note))
    if (stop !== undefined)
      this.stop = async (scope, note) => {
        const stopped = await stop.call(ledger, scope, note)
        if (stopped.entry !== null) this.#counted(stopped.entry)
        return stopped
      }
    if (ledger.prepare !== undefined) {
      const prepare = ledger.prepare.bind(ledger)
      this.prepare = (draft) => {
        const prepared = prepare(draft)
        return { append: async (createdAt, how) => this.#counted(await prepared.append(createdAt, how)) }
      }
    }
  }

  async append(draft: EntryDraft, options?: AppendOptions): Promise<AppendedEntry> {
    return this.#counted(await this.#ledger.append(draft, options))
  }

  async close(): Promise<void> {
    await this.#ledger.close()
    if (!this.#isClosed) closeSync(this.#fd)
    this.#isClosed = true
  }

  /**
   * Updates the counter. If the update fails, the append rejects: an uncounted entry could be removed without
   * detection, so the caller must not act on the entry.
   */
  #counted<T extends AppendedEntry>(entry: T): T {
    if (entry.position <= this.#position) return entry
    const text = `${HEAD}${String(entry.position).padStart(POSITION_DIGITS, '0')} ${entry.entryHash}\n`
    try {
      writeSync(this.#fd, text, 0, 'latin1')
    } catch (error) {
      throw asLedgerError(error, this.#file)
    }
    this.#position = entry.position
    return entry
  }
}

function openCounter(file: string): number {
  try {
    return openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    throw asLedgerError(error, file)
  }
}

function readCount(fd: number, file: string): Count | null {
  const stat = fstatSync(fd)
  const refuse = (): never => {
    throw new LedgerError('LEDGER_NOT_A_LEDGER', `\`${file}\` is not the counter of a ledger`, {
      hint: "use this writer's counter file, or a path at which no file exists",
    })
  }
  if (!stat.isFile()) return refuse()
  if (stat.size === 0) return null
  const bytes = Buffer.alloc(LENGTH + 1)
  const [, position = '', entryHash = ''] =
    FORM.exec(bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0))) ?? refuse()
  return isHash(entryHash) && Number.isSafeInteger(Number(position)) && Number(position) > 0
    ? { position: Number(position), entryHash }
    : refuse()
}

async function requireEntry(
  { position, entryHash }: Count,
  file: string,
  openReader: () => Promise<LedgerReader>,
): Promise<void> {
  const reader = await openReader()
  try {
    const line = await reader.lineAt(position)
    const parsed = line === null || line.fault !== undefined ? null : parseLine(line.bytes)
    const found = parsed === null ? null : parsed.ok ? parsed.entry.entry_hash : parsed.claimedHash
    if (found === entryHash) return
    throw new LedgerError('LEDGER_DAMAGED', `entry ${position} of the ledger does not match the counter \`${file}\``, {
      hint: 'an older copy was restored, or the counter belongs to another ledger; to accept this ledger as it is, remove the counter',
    })
  } finally {
    await reader.close()
  }
}
