// A third-party witness: `litewitness` (filippo.io/torchwood) cosigns our checkpoint, cosigns again as the ledger
// grows, and refuses a fork.
//
//   node interop/go/check_witness.mjs LITEWITNESS
//
// litewitness reads its key from an ssh-agent and the known logs from SQLite tables. This script fills the tables,
// because the tool that adds logs is built with a different version of Go.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeBase64 } from '../../packages/crypto/dist/bytes.js'
import { createNoteKey, encodeVkey } from '../../packages/crypto/dist/note.js'
import { emptyRoot } from '../../packages/crypto/dist/tree.js'
import { JsonlLedger } from '../../packages/ledger/dist/store/jsonl/ledger.js'
import { Checks, decision, newSigner, run, sudoagent, sudoagentText } from '../ledger-maker.mjs'

/** Time limit for the start of the agent and the witness. */
const START_TIMEOUT_MS = 20_000
const NAME = 'example.com/litewitness'
const origin = 'example.com/interop'

const [, , litewitness] = process.argv
const folder = mkdtempSync(join(tmpdir(), 'wit-'))
const checks = new Checks()
const signer = newSigner()
const children = []

try {
  const witness = await startWitness()
  await check(witness)
} finally {
  for (const child of children) child.kill('SIGKILL')
}
checks.end('third-party witness')

async function check({ vkey, url }) {
  const ledger = join(folder, 'ledger.jsonl')
  const fork = join(folder, 'fork.jsonl')
  const policy = join(folder, 'policy.txt')
  writeFileSync(policy, `log ${encodeVkey(createNoteKey(origin, signer.publicKey))}\nwitness W ${vkey}\nquorum W\n`)
  const key = join(folder, 'ledger.pub.pem')
  writeFileSync(key, signer.publicKey.pem)
  const cosign = (path) => sudoagent('checkpoint', 'cosign', path, '--witness', vkey, '--url', url)
  const witnessed = (path) => {
    const args = ['verify', path, '--public-key', key, '--witness-policy', policy, '--require', 'witnessed', '--json']
    const { verdict, witnesses, findings } = JSON.parse(sudoagent(...args).stdout)
    return `${verdict} ${witnesses?.size ?? findings.map(({ code }) => code)}`
  }

  await grow(ledger, 1, 3)
  checks.that('before the witness was asked', witnessed(ledger), 'broken WITNESS_QUORUM_MISSING')
  checks.that('it cosigns', cosign(ledger).status, 0)
  checks.that('the cosignature is valid', witnessed(ledger), 'witnessed 4')
  for (const name of readdirSync(folder).filter((file) => file.startsWith('ledger.jsonl')))
    copyFileSync(join(folder, name), join(folder, name.replace('ledger', 'fork')))

  await grow(ledger, 4, 300)
  checks.that('the witness cosigns the grown ledger', cosign(ledger).status, 0)
  checks.that('the second cosignature is valid', witnessed(ledger), 'witnessed 301')
  checks.that('the witness cosigns the same checkpoint again', cosign(ledger).status, 0)

  await grow(fork, 1_000, 1_400)
  const refused = cosign(fork)
  checks.that(
    'the witness refuses a fork',
    [refused.status, /\(WITNESS_\w+\)/.exec(refused.stderr)?.[0]].join(' '),
    '1 (WITNESS_CONFLICT)',
  )
  checks.that('the fork is not witnessed at its size', witnessed(fork), 'witnessed 4')

  const receipt = join(folder, 'receipt.json')
  sudoagentText('receipt', ledger, '--request-id', decision(200).request_id, '--output', receipt)
  const { verdict } = JSON.parse(
    sudoagent('receipt', 'verify', receipt, '--public-key', key, '--witness-policy', policy, '--json').stdout,
  )
  checks.that('a receipt with its cosignature', verdict, 'witnessed')
}

async function grow(path, from, to) {
  const writer = JsonlLedger.open(path, { signer, origin })
  await Promise.all(Array.from({ length: to - from + 1 }, (_, n) => writer.append(decision(from + n))))
  await writer.close()
}

async function startWitness() {
  const agent = join(folder, 'a')
  start('ssh-agent', ['-D', '-a', agent])
  const key = join(folder, 'key')
  must(run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'witness', '-f', key]))
  await until(
    'the ssh-agent',
    () => run('ssh-add', [key], { env: { ...process.env, SSH_AUTH_SOCK: agent } }).status === 0,
  )
  const fingerprint = must(run('ssh-keygen', ['-l', '-f', `${key}.pub`])).split(' ')[1]
  const database = join(folder, 'witness.db')
  fillDatabase(database)
  const port = await freePort()
  const options = [
    '-db',
    database,
    '-ssh-agent',
    agent,
    '-key',
    fingerprint,
    '-name',
    NAME,
    '-listen',
    `127.0.0.1:${port}`,
  ]
  const witness = start(litewitness, options)
  let log = ''
  witness.stderr.setEncoding('utf8').on('data', (text) => {
    log += text
  })
  const url = `http://127.0.0.1:${port}`
  await until(`litewitness (${log})`, async () => (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok)
  const vkey = /vkey=(\S+)/.exec(log)?.[1]
  if (vkey === undefined) throw new Error(`litewitness printed no vkey: ${log}`)
  return { vkey, url }
}

/** Creates the three tables and adds our log. */
function fillDatabase(path) {
  const require = createRequire(join(import.meta.dirname, '../../packages/ledger/package.json'))
  const db = new (require('better-sqlite3'))(path)
  db.exec(`CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
    CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));
    CREATE TABLE bastion (origin TEXT NOT NULL, bastion TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));`)
  db.prepare('INSERT INTO log VALUES (?, 0, ?)').run(origin, encodeBase64(emptyRoot()))
  db.prepare('INSERT INTO key VALUES (?, ?)').run(origin, encodeVkey(createNoteKey(origin, signer.publicKey)))
  db.close()
}

function start(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  child.on('error', (error) => {
    throw error
  })
  children.push(child)
  return child
}

function must({ status, stdout, stderr }) {
  if (status !== 0) throw new Error(stderr)
  return stdout
}

async function until(what, isReady) {
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await sleep(100)) {
    if (
      await Promise.resolve()
        .then(isReady)
        .catch(() => false)
    )
      return
  }
  throw new Error(`${what} did not start`)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
