import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { CliError, EXIT, type ExitCode } from '../../exit.js'
import { type Io, print } from '../../io.js'

export interface WitnessServeOptions {
  readonly key: string
  readonly name: string
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
    .requiredOption('--name <name>', 'name of the witness, best a URL without its scheme')
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
  const { CryptoError, createSigner, encodeVkey } = await import('@sudoagent/crypto')
  const { createWitness, serveWitness } = await import('@sudoagent/witness')
  const { SqliteWitnessStore } = await import('@sudoagent/witness/sqlite')
  const { readPolicy } = await import('../../io/policy-file.js')
  const { readPrivateKey } = await import('../../io/private-key.js')
  const { say } = await import('../../message.js')
  const portNumber = readPort(port)
  const signer = createSigner(await readPrivateKey(key, io))
  const logs = (await readPolicy(policy, io)).logs.map((log) => log.key)
  if (logs.length === 0)
    throw new CliError(EXIT.usage, `\`${policy}\` names no log`, 'add a line `log <vkey>` for each')
  if (!existsSync(store)) {
    await say(io, 'note', `\`${store}\` is new: this witness has seen nothing yet; if it had, find the store it kept`)
  }
  const opened = SqliteWitnessStore.open(store)
  const forget = io.atExit(() => void opened.close())
  try {
    const witness = createWitness({ name, signer, logs, store: opened })
    const onError = (error: unknown): void =>
      void say(io, 'error', `internal: ${error instanceof Error ? error.message : String(error)}`)
    const server = await serveWitness({ witness, host, port: portNumber, onError })
    if (!LOOPBACK.includes(host)) await say(io, 'note', `listening at \`${host}\`: others can reach this`)
    await print(io.stdout, `vkey  ${encodeVkey(witness.key)}\nurl   ${server.url}\n`)
    await io.untilStopped()
    await server.close()
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error
    throw new CliError(EXIT.usage, `--name \`${name}\`: ${error.message}`, error.hint, error)
  } finally {
    forget()
    await opened.close()
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new CliError(EXIT.usage, `--port \`${text}\` is no port`, 'a number from 0 to 65535')
}
