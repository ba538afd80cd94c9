// The public engine: opens and closes what its calls need. The boundary makes the decisions.
import type {
  AppendedEntry,
  ControlNote,
  ControlWriter,
  LedgerWriter,
  StoppedCalls,
  StopScope,
} from '@sudoagent/ledger'
import { ownFields } from '@sudoagent/ledger/store'
import { REQUEST_ID_LENGTH_MAX } from './approval/approval.js'
import { Boundary } from './boundary/boundary.js'
import type { CallOutcome } from './call/recorder.js'
import { memberOf, requireName } from './check.js'
import { copyCommitmentKey } from './commitment/commitment-key.js'
import { checkOutcome, EngineView } from './engine-view.js'
import type { FromEnvOptions } from './from-env.js'
import { checkEngineOptions, type EngineOptions, type OpenOptions } from './options.js'

/** Takes the place of the ledger while the other options are validated. */
const noLedger = () => Promise.reject(new Error('no ledger'))
const NOWHERE: LedgerWriter = { append: noLedger, ask: noLedger, close: async () => {} }

/**
 * Guards calls: a function runs only after the decision about the call was durably recorded.
 *
 * @example
 * const engine = new SudoEngine({ policy, agentId: 'support-bot', ledger: SqliteLedger.open('ledger.sqlite') })
 * const refund = engine.guard(async (order: { id: string; amount: number }) => { … }, { action: 'refund' })
 * await refund({ id: '42', amount: 30 }) // the result, or an exception such as ApprovalDenied
 */
export class SudoEngine extends EngineView {
  readonly #boundary: Boundary
  readonly #ledger: LedgerWriter
  #owned: LedgerWriter | null = null
  #closeStores: () => Promise<void> = async () => {}

  /** @throws TypeError that names the option if an option is missing, unknown (with a suggestion) or invalid */
  constructor(options: EngineOptions) {
    const parts = checkEngineOptions(options)
    const boundary = new Boundary(parts)
    super(parts, boundary, {})
    this.#boundary = boundary
    this.#ledger = parts.ledger
  }

  /**
   * Creates an engine and starts its ledger. An empty ledger gets its genesis entry now, so that the ledger can be
   * verified before the first call. If `ledger` is a path or URL, the ledger is opened here and closed by `close`.
   * With `privateKey`, the entries are signed. Questions that were refused while no process waited for the answer are
   * now recorded as denied.
   *
   * @throws (as a rejection) TypeError as for the constructor, and for a key file that cannot be used; LedgerError when
   *   the ledger cannot be written; CryptoError for a key that cannot be used
   * @example
   * const sudo = await SudoEngine.open({
   *   agentId: 'support-bot',
   *   policy,
   *   ledger: 'ledger.sqlite',
   *   privateKey: 'ledger.key.pem',
   * })
   */
  static async open(options: OpenOptions): Promise<SudoEngine> {
    const { ledger, privateKey, passphrase, ...given } = ownFields(options)
    const { commitmentKey: key } = given
    // The caller may change its key while the ledger is being opened.
    const rest = key === undefined ? given : { ...given, commitmentKey: copyCommitmentKey(key) }
    if (typeof ledger !== 'string') {
      if (privateKey !== undefined)
        throw new TypeError('`privateKey` requires `ledger` to be a path or URL: an open ledger already has a signer')
      return SudoEngine.#begun(new SudoEngine({ ...rest, ledger }), ledger)
    }
    // Invalid options are reported before the ledger is created.
    new SudoEngine({ ...rest, ledger: NOWHERE })
    const { openLedgerAt } = await import('./open-ledger.js')
    const opened = await openLedgerAt({ place: ledger, privateKey, passphrase })
    const engine = new SudoEngine({ ...rest, ledger: opened })
    engine.#owned = opened
    await engine.recordRefused()
    return engine
  }

  static async #begun(engine: SudoEngine, ledger: LedgerWriter): Promise<SudoEngine> {
    if (typeof memberOf(ledger, 'begin') === 'function') await ledger.begin?.()
    await engine.recordRefused()
    return engine
  }

  /**
   * Creates an engine from environment variables: ledger, private key, approvals and budget
   * (`docs/configuration.md`).
   *
   * @throws TypeError for a variable with an unknown value; errors from `open` and from opening a store
   */
  static async fromEnv(options: FromEnvOptions): Promise<SudoEngine> {
    const { partsFromEnv } = await import('./from-env.js')
    const { parts, close } = await partsFromEnv(ownFields(options))
    try {
      const engine = await SudoEngine.open(parts)
      engine.#closeStores = close
      return engine
    } catch (error) {
      await close()
      throw error
    }
  }

  /**
   * Stops calls: from the entry of the stop on, the ledger takes no allowed decision that the scope covers, from this
   * engine or any other process that writes to the ledger. Such calls are denied with `STOPPED`. Functions that are
   * already running go on. `sudoagent resume` ends a stop; in a JSONL ledger, after this process has closed it.
   *
   * @returns the stop; `entry` is null if a stop with the same scope was open before
   * @throws (as a rejection) TypeError for an invalid scope or note, or a ledger that cannot record stops; LedgerError
   *   when the stop cannot be written: then nothing is stopped
   * @example await sudo.stop({ agent: 'billing-*' }, { reason: 'wrong prices', by: 'alice' })
   */
  async stop(scope: StopScope, note: ControlNote): Promise<StoppedCalls> {
    const ledger: LedgerWriter & Partial<ControlWriter> = this.#ledger
    if (typeof memberOf(ledger, 'stop') !== 'function' || ledger.stop === undefined)
      throw new TypeError('the ledger of this engine cannot record stops')
    return await ledger.stop(scope, note)
  }

  /**
   * Records the outcome of an allowed call by its request id: after a restart, or for a call that another process
   * runs. Each call has at most one outcome.
   *
   * @returns the entry
   * @throws (as a rejection) TypeError for an invalid outcome, or a ledger that cannot record it; LedgerError
   *   OUTCOME_RECORDED if the call has an outcome, ENTRY_NOT_FOUND if the ledger has no decision of the request id,
   *   ENTRY_REFUSED if the call was denied
   * @example await sudo.recordOutcome(requestId, { status: 'error', error: new Error('the process was killed') })
   */
  async recordOutcome(requestId: string, outcome: CallOutcome): Promise<AppendedEntry> {
    const id = requireName('requestId', requestId, REQUEST_ID_LENGTH_MAX)
    return await this.#boundary.recordOutcome(id, checkOutcome(outcome))
  }

  /**
   * Records the denials of questions that were refused while no process waited for the answer. `open` calls it; call it
   * after the constructor. Failures are reported to `onError`, not thrown: such calls do not run in any case.
   */
  async recordRefused(): Promise<void> {
    await this.#boundary.recordRefused()
  }

  /**
   * Waits for pending writes, then closes the ledger and the stores that `open` and `fromEnv` opened. A ledger or store
   * that the caller passed in stays open.
   */
  async close(): Promise<void> {
    await this.#boundary.settled()
    await this.#owned?.close()
    await this.#closeStores()
  }
}
