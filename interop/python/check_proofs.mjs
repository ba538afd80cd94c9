// Checks `receipt --format tlog-proof` with a third-party implementation of C2SP tlog-proof: the package `proofbundle`
// from PyPI.
//
//   node interop/python/check_proofs.mjs VENV
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createCosigner,
  createNoteKey,
  createSignature,
  encodeNote,
  encodeVkey,
  parseNote,
} from '../../packages/crypto/dist/note.js'
import { JsonlLedger } from '../../packages/ledger/dist/store/jsonl/ledger.js'
import { keepCosigned } from '../../packages/ledger/dist/store/keep-cosigned.js'
import { Checks, decision, newSigner, run, sudoagentText } from '../ledger-maker.mjs'

const [, , venv] = process.argv
const folder = mkdtempSync(join(tmpdir(), 'proofs-'))
const checks = new Checks()
const origin = 'example.com/interop'
const signer = newSigner()
const witnesses = [1, 2].map((n) => ({ name: `example.com/witness-${n}`, signer: newSigner() }))

const ledger = join(folder, 'ledger.jsonl')
const writer = JsonlLedger.open(ledger, { signer, origin })
for (let n = 1; n <= 12; n += 1) await writer.append(decision(n))
await writer.close()
const cosigned = await cosign(readFileSync(`${ledger}.head`, 'utf8'))
keepCosigned(ledger, cosigned)

/** Whether `proofbundle verify-proof` accepts the proof (exit code 0). */
function verified({ proof, leaf, at = origin, by = witnesses, threshold = 2 }) {
  const file = (name, content) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const options = [
    '--payload-file',
    file('leaf.bin', leaf),
    '--log-vkey',
    vkeyOf(origin, signer),
    '--expected-origin',
    at,
  ]
  const trust = by.flatMap((witness) => ['--witness-vkey', vkeyOf(witness.name, witness.signer, 'cosignature')])
  const args = ['verify-proof', file('d.tlog-proof', proof), ...options, ...trust, '--threshold', String(threshold)]
  return run(join(venv, 'bin/proofbundle'), args).status === 0
}

const entries = readFileSync(ledger, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
const leafOf = (position) => Buffer.from(entries[position - 1].entry_hash, 'hex')
for (const position of [2, 5, 9, 13]) {
  const proof = sudoagentText(
    'receipt',
    ledger,
    '--request-id',
    entries[position - 1].request_id,
    '--format',
    'tlog-proof',
  )
  const leaf = leafOf(position)
  const what = `entry ${position}`
  checks.that(what, verified({ proof, leaf }), true)
  checks.that(`${what}, no witness required`, verified({ proof, leaf, by: [], threshold: 0 }), true)
  checks.that(`${what}, another leaf`, verified({ proof, leaf: leafOf((position % 13) + 1) }), false)
  const index = proof.replace(`index ${position - 1}\n`, `index ${position === 13 ? 0 : position}\n`)
  checks.that(`${what}, a different index`, verified({ proof: index, leaf }), false)
  checks.that(`${what}, a different size`, verified({ proof: proof.replace('\n13\n', '\n14\n'), leaf }), false)
  checks.that(
    `${what}, a different origin in the proof`,
    verified({ proof: proof.replace(`\n${origin}\n`, '\nexample.com/x\n'), leaf }),
    false,
  )
  checks.that(`${what}, a different origin expected`, verified({ proof, leaf, at: 'example.com/x' }), false)
  checks.that(`${what}, one witness too few`, verified({ proof, leaf, threshold: 3 }), false)
  const stranger = { name: witnesses[1].name, signer: newSigner() }
  checks.that(`${what}, a witness with a different key`, verified({ proof, leaf, by: [witnesses[0], stranger] }), false)
  const hash = proof.split('\n')[2]
  const changed = `${hash[0] === 'A' ? 'B' : 'A'}${hash.slice(1)}`
  checks.that(`${what}, a different hash on the path`, verified({ proof: proof.replace(hash, changed), leaf }), false)
}
checks.end('proofs, checked by proofbundle')

function vkeyOf(name, { publicKey }, type) {
  return encodeVkey(createNoteKey(name, publicKey, type))
}

/** Adds the signatures of both witnesses to a checkpoint. */
async function cosign(note) {
  const { text, signatures } = parseNote(note)
  const more = []
  for (const witness of witnesses) {
    const clock = () => Math.floor(Date.now() / 1000)
    more.push(await createSignature(text, createCosigner(witness.name, witness.signer, clock)))
  }
  return encodeNote({ text, signatures: [...signatures, ...more] })
}
