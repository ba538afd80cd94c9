// `sudoagent witness serve` runs a witness over HTTP. A witness cosigns a checkpoint only if the log has only grown,
// so that a log operator cannot show different histories to different readers.
//
// The protocol is https://c2sp.org/tlog-witness, the signature https://c2sp.org/tlog-cosignature;
// @sudoagent/witness contains both. This file reads the key, the policy with the logs to cosign, and the store:
//
//   POST <url>/add-checkpoint   old size, consistency proof (RFC 6962, section 2.1.2), signed checkpoint
//   200   the cosignature, after the new size was written to disk
//   409   a different size is recorded; the body is the recorded size, with which the client retries
//   403, 404, 422   unknown key, unknown log, invalid proof
//
//   $ sudoagent witness serve --key witness.key.pem --policy logs.txt --store witness.sqlite --port 8080
//   vkey  sudoagent.dev/witness/0011223344556677+…
//   url   http://127.0.0.1:8080
//
// Each request is logged on stderr in one line.
import { existsSync } from 'node:fs'
import type { Signer } from '@sudoagent/crypto'
import type { NoteKey } from '@sudoagent/crypto/note'
import type { Witness } from '@sudoagent/witness'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../terminal/io.js'

export interface WitnessServeOptions {
  readonly key: string
  readonly name?: string
  readonly policy: string
  readonly store: string
  readonly host: string
  readonly port: string
}

export function register(witness: Command, io: Io): void {
  witness
    .command('serve')
    .summary('run a witness')
    .description(
      'Answers add-checkpoint requests until a signal arrives. For each request, checks that the log is in the policy and has only grown, ' +
        'writes the new size to disk, and only then cosigns. Prints the vkey of the witness and its URL.',
    )
    .requiredOption('--key <file>', 'private key of the witness (PEM); must not be a key that signs a ledger')
    .option('--name <name>', 'name of the witness, preferably a URL without its scheme; default: derived from its key')
    .requiredOption('--policy <file>', 'C2SP tlog-policy: its `log` lines list the logs to cosign')
    .requiredOption(
      '--store <file>',
      'SQLite file with the last cosigned checkpoints; without it, the witness could cosign a fork',
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 selects a free port', '0')
    .addHelpText(
      'after',
      `
Example:
  $ sudoagent witness serve --key witness.key.pem --name witness.example.com --policy logs.txt --store witness.sqlite --port 8080`,
    )
    .action(async (options: WitnessServeOptions) => {
      io.exitCode = await run(options, io)
    })
}

const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

export async function run({ key, name, policy, store, host, port }: WitnessServeOptions, io: Io): Promise<ExitCode> {
  const { createSigner } = await import('@sudoagent/crypto')
  const { encodeVkey } = await import('@sudoagent/crypto/note')
  const { createWitness, serveWitness } = await import('@sudoagent/witness')
  const { SqliteWitnessStore } = await import('@sudoagent/witness/sqlite')
  const { readPrivateKey } = await import('../../key/private-key.js')
  const { printMessage } = await import('../../terminal/message.js')
  const portNumber = readPort(port)
  const { requireFilePlace } = await import('../../ledger/place.js')
  requireFilePlace('--store', store, 'a witness stores its state in a SQLite file')
  if (store.trim() !== store || store === '') {
    throw new CliError(
      EXIT.usage,
      `--store \`${store}\` is not a file name`,
      'a file name must not start or end with white space',
    )
  }
  const signer = createSigner(await readPrivateKey(key, io))
  const { logs, name: checkedName } = await readPart(signer, { policy, name }, io)
  if (!existsSync(store)) {
    await printMessage(io, 'note', `\`${store}\` is new; if this witness ran before, use its previous store`)
  }
  const opened = SqliteWitnessStore.open(store)
  const forget = io.atExit(() => void opened.close())
  try {
    const witness = withLog(createWitness({ name: checkedName, signer, logs, store: opened }), io)
    const onError = (error: unknown): void =>
      void printMessage(io, 'error', `nothing was cosigned: ${error instanceof Error ? error.message : String(error)}`)
    const server = await serveWitness({ witness, host, port: portNumber, onError })
    // The signal handler is registered before the URL is printed.
    const stopped = io.untilStopped()
    if (!LOOPBACK.includes(host))
      await printMessage(io, 'note', `listening on \`${host}\`, which other machines can reach`)
    await print(io.stdout, `vkey  ${encodeVkey(witness.key)}\nurl   ${server.url}\n`)
    await stopped
    await server.close()
    return EXIT.ok
  } finally {
    forget()
    await opened.close()
  }
}

/** Returns the witness name and the logs to cosign. Both are checked before the store is created. */
async function readPart(
  signer: Signer,
  { policy, name }: { policy: string; name: string | undefined },
  io: Io,
): Promise<{ logs: readonly NoteKey[]; name: string }> {
  const { CryptoError } = await import('@sudoagent/crypto')
  const { createNoteKey } = await import('@sudoagent/crypto/note')
  const { readPolicy } = await import('../../input/witness-policy.js')
  // The default name is derived from the key, so that it is unique and stable across restarts.
  const own = name ?? `sudoagent.dev/witness/${signer.keyId}`
  try {
    createNoteKey(own, signer.publicKey, 'cosignature')
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.usage, `--name \`${own}\`: ${error.message}`, error.hint, error)
  }
  const logs = (await readPolicy(policy, io)).logs.map((log) => log.key)
  if (logs.length === 0)
    throw new CliError(EXIT.usage, `\`${policy}\` lists no logs`, 'add a line `log <vkey>` for each log')
  const same = logs.find(({ publicKey }) => publicKey.keyId === signer.keyId)
  if (same === undefined) return { logs, name: own }
  throw new CliError(
    EXIT.usage,
    `the key of this witness is the key of the log \`${same.name}\``,
    'a log signer cannot be its own witness; create a separate key with `sudoagent keygen`',
  )
}

/** Logs the result of each request in one line on stderr. */
function withLog(witness: Witness, io: Io): Witness {
  return {
    key: witness.key,
    async addCheckpoint(request) {
      const answer = await witness.addCheckpoint(request)
      const { printMessage } = await import('../../terminal/message.js')
      const line = answer.body.trimEnd()
      const why = /^\d+$/.test(line) ? `size ${line} is recorded` : line
      const says = answer.status === 200 ? 'cosigned' : `refused: ${why}`
      await printMessage(io, 'note', `${new Date().toISOString()} ${answer.status} ${await aboutOf(request)} ${says}`)
      return answer
    },
  }
}

/** The origin and sizes that a request claims. */
async function aboutOf(request: Uint8Array): Promise<string> {
  const { parseAddCheckpoint, WitnessError } = await import('@sudoagent/witness')
  try {
    const { claim, oldSize } = parseAddCheckpoint(request)
    return `\`${claim.origin.slice(0, ORIGIN_LENGTH_MAX)}\` from ${oldSize} to ${claim.size}`
  } catch (error) {
    if (error instanceof WitnessError) return 'no checkpoint'
    throw error
  }
}

/** Maximum length of a printed origin, because a request may contain any string. Key names have the same limit. */
const ORIGIN_LENGTH_MAX = 255

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new CliError(EXIT.usage, `--port \`${text}\` is not a port`, 'a number from 0 to 65535')
}
