// Creates evidence for check_evidence.go: a growing ledger, its head at many sizes, and proofs between these heads.
// The evidence includes the valid heads and proofs, and copies with one changed byte.
//
//   node interop/go/make-evidence.mjs evidence.json
import { writeFileSync } from 'node:fs'
import { encodeBase64 } from '../../packages/crypto/dist/bytes.js'
import { createNoteKey, encodeTlogProof, encodeVkey } from '../../packages/crypto/dist/note.js'
import { proveConsistency, proveInclusion } from '../../packages/ledger/dist/proof.js'
import { MemoryLedger } from '../../packages/ledger/dist/store/memory.js'
import { decision, newSigner } from '../ledger-maker.mjs'

const SIZE = 600
/** Sizes at which the head is kept: around powers of two, where the shape of the tree changes. */
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 256, 257, 300, 511, 512, 513, SIZE]

const [, , output] = process.argv
if (output === undefined) {
  process.stderr.write('usage: node make-evidence.mjs evidence.json\n')
  process.exit(2)
}

const signer = newSigner()
const origin = 'example.com/interop'
const ledger = new MemoryLedger({ signer, origin })
const heads = new Map()
const entryHashes = []

const headNow = async () => (await ledger.reader().evidence()).head.text
for (let n = 1; n < SIZE; n += 1) {
  await ledger.append(decision(n))
  heads.set(n + 1, await headNow())
}
for await (const batch of ledger.reader().batches()) {
  for (const { bytes } of batch) entryHashes.push(JSON.parse(Buffer.from(bytes).toString()).entry_hash)
}

const reader = ledger.reader()
const evidence = {
  vkey: encodeVkey(createNoteKey(origin, signer.publicKey)),
  checkpoints: [],
  inclusions: [],
  consistencies: [],
  trees: [],
}
const sizes = SIZES.filter((size) => heads.has(size))
for (const size of sizes) {
  const head = heads.get(size)
  evidence.checkpoints.push({ what: `checkpoint ${size}`, note: head, holds: true })
  for (let at = 0; at < head.length; at += 7) {
    // The blank line and the dash are not part of the signed text, but any change to them makes the note invalid.
    evidence.checkpoints.push({ what: `checkpoint ${size}, byte ${at} changed`, note: changed(head, at), holds: false })
  }
  evidence.trees.push({ what: `tree ${size}`, note: head, entry_hashes: entryHashes.slice(0, size), holds: true })
  for (const position of new Set([1, 2, Math.ceil(size / 2), size - 1, size].filter((p) => p >= 1 && p <= size))) {
    const hashes = await proveInclusion(reader, position, size)
    const make = (list, index = position - 1) =>
      ['c2sp.org/tlog-proof@v1', `index ${index}`, ...list.map((h) => encodeBase64(h)), '', head].join('\n')
    const proof = encodeTlogProof({ index: position - 1, hashes, checkpoint: head, extra: null })
    const what = `entry ${position} in ${size}`
    const entry_hash = entryHashes[position - 1]
    evidence.inclusions.push({ what, proof, entry_hash, holds: true })
    evidence.inclusions.push({
      what: `${what}, a different entry`,
      proof,
      entry_hash: entryHashes[position % SIZE],
      holds: false,
    })
    if (hashes.length === 0) continue
    evidence.inclusions.push({ what: `${what}, too short`, proof: make(hashes.slice(1)), entry_hash, holds: false })
    evidence.inclusions.push({
      what: `${what}, too long`,
      proof: make([...hashes, hashes[0]]),
      entry_hash,
      holds: false,
    })
    evidence.inclusions.push({ what: `${what}, index moved`, proof: make(hashes, position), entry_hash, holds: false })
  }
  for (const old of sizes.filter((other) => other < size)) {
    const hashes = (await proveConsistency(reader, old, size)).map((h) => encodeBase64(h))
    const what = `${old} to ${size}`
    const pair = { old: heads.get(old), new: head }
    evidence.consistencies.push({ what, ...pair, hashes, holds: true })
    evidence.consistencies.push({ what: `${what}, too long`, ...pair, hashes: [...hashes, hashes[0]], holds: false })
    evidence.consistencies.push({ what: `${what}, too short`, ...pair, hashes: hashes.slice(1), holds: false })
  }
}
const last = heads.get(SIZE)
evidence.trees.push({
  what: 'a tree with two entries swapped',
  note: last,
  entry_hashes: [entryHashes[1], entryHashes[0], ...entryHashes.slice(2)],
  holds: false,
})
writeFileSync(output, JSON.stringify(evidence))

function changed(text, at) {
  const bytes = Buffer.from(text)
  const index = Math.min(at, bytes.length - 1)
  // Changes high bits of the base64 character: Go ignores the unused bits of a signature's last character, which our
  // parser rejects.
  bytes[index] = '89+/'.includes(String.fromCharCode(bytes[index])) ? 0x41 : 0x38
  return bytes.toString('utf8')
}
