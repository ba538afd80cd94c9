// Compares `encodeJcs(parseJson(text))` with third-party corpora of canonical JSON from the package
// `agent-evidence-vectors` on PyPI.
//
//   node interop/python/check_canonical.mjs VENV
//
// One vector does not apply: `rounded-unsafe-integer` rejects 2^53 + 1 (that corpus's bounded profile). `parseJson`
// reads numbers as doubles, as RFC 8785 does, so it rounds this number. A ledger stores such integers as text, and
// its verifier rounds no number.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeJcs, parseJson } from '../../packages/crypto/dist/json.js'
import { Checks } from '../ledger-maker.mjs'

const EXCEPTION = { id: 'rounded-unsafe-integer', comesOut: '[{"data":{"count":9007199254740992}}]' }

const [, , venv] = process.argv
const checks = new Checks()
const site = join(venv, 'lib', readdirSync(join(venv, 'lib'))[0] ?? '', 'site-packages/agent_evidence_vectors/corpora')

/** The canonical bytes in hex; null if the text is rejected. */
function canonicalHex(text) {
  try {
    return Buffer.from(encodeJcs(parseJson(text))).toString('hex')
  } catch (error) {
    if (error.name === 'CryptoError') return null
    throw error
  }
}

const bytes = JSON.parse(readFileSync(join(site, 'corpora/jcs-byte-vectors/cases.json'), 'utf8'))
for (const { id, input, canonicalHex: expected } of bytes.canonicalCases) checks.that(id, canonicalHex(input), expected)
for (const { id, input } of bytes.rejectCases) {
  if (id !== EXCEPTION.id) checks.that(id, canonicalHex(input), null)
  else checks.that(`${id}, the exception`, canonicalHex(input), Buffer.from(EXCEPTION.comesOut).toString('hex'))
}

// The signature vectors of Agent Cards (A2) do not test RFC 8785.
const folder = join(site, 'vectors-a2a-jcs-v01')
let vectors = 0
for (const group of readdirSync(folder).filter((name) => /^a[3-6]-/.test(name))) {
  for (const name of readdirSync(join(folder, group))) {
    const text = readFileSync(join(folder, group, name), 'utf8')
    const vector = JSON.parse(text)
    // The input as it is written in the file, so that parsing does not change its numbers and escapes.
    const input = vector.input_raw ?? /"input": ([\s\S]*),\n {2}"expected"/.exec(text)?.[1]
    checks.that(vector.id, canonicalHex(input), vector.expected?.canonical_utf8_hex ?? null)
    vectors += 1
  }
}
checks.that('vectors of RFC 8785 in a2a-jcs-v01', vectors, 53)
checks.that('vectors in jcs-byte-vectors', bytes.canonicalCases.length + bytes.rejectCases.length, 8)
console.log(`${vectors} of 53 a2a-jcs-v01 and 7 of 8 jcs-byte-vectors; the exception is ${EXCEPTION.id}`)
checks.end('canonical JSON in third-party corpora')
