import { existsSync } from 'node:fs'
import type { NoteKey, Signer } from '@sudoagent/crypto'
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
      'Answers add-checkpoint requests until it is told to end: checks that a log is one of the policy, that it only grew since the last time, ' +
        'records that on disk, and only then cosigns. Prints the vkey of the witness and its URL.',
    )
    .requiredOption('--key <file>', 'private key of the witness (PEM); not one that signs a ledger')
    .option('--name <name>', 'name of the witness, best a URL without its scheme; by default made of its key')
    .requiredOption('--policy <file>', 'C2SP tlog-policy: its `log` lines say which logs are cosigned')
    .requiredOption(
      '--store <file>',
      'SQLite file with what was cosigned last; keep it: a witness that forgets is none',
    )
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('--port <n>', 'port to listen at; 0 takes a free one', '0')
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
  const { createSigner, encodeVkey } = await import('@sudoagent/crypto')
  const { createWitness, serveWitness } = await import('@sudoagent/witness')
  const { SqliteWitnessStore } = await import('@sudoagent/witness/sqlite')
  const { readPrivateKey } = await import('../../key/private-key.js')
  const { printMessage } = await import('../../terminal/message.js')
  const portNumber = readPort(port)
  const { requireFilePlace } = await import('../../ledger/place.js')
  requireFilePlace('--store', store, 'a witness remembers in a SQLite file')
  if (store.trim() !== store || store === '') {
    throw new CliError(EXIT.usage, `--store \`${store}\` names no file`, 'a name without white space around it')
  }
  const signer = createSigner(await readPrivateKey(key, io))
  const { logs, name: checkedName } = await readPart(signer, { policy, name }, io)
  if (!existsSync(store)) {
    await printMessage(
      io,
      'note',
      `\`${store}\` is new: this witness has seen nothing yet; if it had, find the store it kept`,
    )
  }
  const opened = SqliteWitnessStore.open(store)
  const forget = io.atExit(() => void opened.close())
  try {
    const witness = withLog(createWitness({ name: checkedName, signer, logs, store: opened }), io)
    const onError = (error: unknown): void =>
      void printMessage(io, 'error', `nothing was cosigned: ${error instanceof Error ? error.message : String(error)}`)
    const server = await serveWitness({ witness, host, port: portNumber, onError })
    // Before anybody can know that it listens.
    const stopped = io.untilStopped()
    if (!LOOPBACK.includes(host)) await printMessage(io, 'note', `listening at \`${host}\`: others can reach this`)
    await print(io.stdout, `vkey  ${encodeVkey(witness.key)}\nurl   ${server.url}\n`)
    await stopped
    await server.close()
    return EXIT.ok
  } finally {
    forget()
    await opened.close()
  }
}

/** What this witness is called, and the logs that it watches. Checked before a store is made. */
async function readPart(
  signer: Signer,
  { policy, name }: { policy: string; name: string | undefined },
  io: Io,
): Promise<{ logs: readonly NoteKey[]; name: string }> {
  const { CryptoError, createNoteKey } = await import('@sudoagent/crypto')
  const { readPolicy } = await import('../../input/witness-policy.js')
  // As ledgers without an origin of their own: the same after each start, and nobody else's.
  const own = name ?? `sudoagent.dev/witness/${signer.keyId}`
  try {
    createNoteKey(own, signer.publicKey, 'cosignature')
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.usage, `--name \`${own}\`: ${error.message}`, error.hint, error)
  }
  const logs = (await readPolicy(policy, io)).logs.map((log) => log.key)
  if (logs.length === 0)
    throw new CliError(EXIT.usage, `\`${policy}\` names no log`, 'add a line `log <vkey>` for each')
  const same = logs.find(({ publicKey }) => publicKey.keyId === signer.keyId)
  if (same === undefined) return { logs, name: own }
  throw new CliError(
    EXIT.usage,
    `the key of this witness is the key of the log \`${same.name}\``,
    'whoever signs a log cannot be its witness: make a key with `sudoagent keygen`',
  )
}

/** Says in one line on stderr what became of each request. */
function withLog(witness: Witness, io: Io): Witness {
  return {
    key: witness.key,
    async addCheckpoint(request) {
      const answer = await witness.addCheckpoint(request)
      const { printMessage } = await import('../../terminal/message.js')
      const line = answer.body.trimEnd()
      const why = /^\d+$/.test(line) ? `size ${line} is on record` : line
      const says = answer.status === 200 ? 'cosigned' : `refused: ${why}`
      await printMessage(io, 'note', `${new Date().toISOString()} ${answer.status} ${await aboutOf(request)} ${says}`)
      return answer
    },
  }
}

/** What a request asks for, as it says itself. */
async function aboutOf(request: Uint8Array): Promise<string> {
  const { parseAddCheckpoint, WitnessError } = await import('@sudoagent/witness')
  try {
    const { claim, oldSize } = parseAddCheckpoint(request)
    return `\`${claim.origin.slice(0, ORIGIN_CHARS_MAX)}\` from ${oldSize} to ${claim.size}`
  } catch (error) {
    if (error instanceof WitnessError) return 'no checkpoint'
    throw error
  }
}

/** As long as the name of a key may be: a request may say anything. */
const ORIGIN_CHARS_MAX = 255

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new CliError(EXIT.usage, `--port \`${text}\` is no port`, 'a number from 0 to 65535')
}
