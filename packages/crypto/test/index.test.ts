import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as api from '../src/index.js'

test('the package exports exactly these names', () => {
  expect(Object.keys(api).sort()).toEqual([
    'CryptoError',
    'EMPTY_FRONTIER',
    'HASH_BYTES',
    'JSON_DEPTH_MAX',
    'NOTE_BYTES_MAX',
    'NOTE_SIGNATURES_MAX',
    'PROOF_HASHES_MAX',
    'TILE_HEIGHT',
    'TILE_WIDTH',
    'TREE_SIZE_MAX',
    'appendLeaf',
    'bytesToHex',
    'consistencyProof',
    'cosignatureTime',
    'createCosignatureVerifier',
    'createCosigner',
    'createNoteKey',
    'createNoteSigner',
    'createNoteVerifier',
    'createSignature',
    'createSigner',
    'createTileHashReader',
    'createVerifier',
    'decodeBase64',
    'decodeUtf8',
    'emptyRoot',
    'encodeBase64',
    'encodeCanonical',
    'encodeCheckpoint',
    'encodeFrontier',
    'encodeJcs',
    'encodeNote',
    'encodeSignatureLine',
    'encodeTlogProof',
    'encodeVkey',
    'frontierRoot',
    'generatePrivateKey',
    'hashDecisionFacts',
    'hashEntry',
    'hexToBytes',
    'inclusionProof',
    'isHash',
    'isKeyName',
    'leafHash',
    'nodeHash',
    'openCheckpoint',
    'openNote',
    'openTlogProof',
    'parseCheckpoint',
    'parseFrontier',
    'parseJson',
    'parseNote',
    'parsePrivateKey',
    'parsePublicKey',
    'parseTlogProof',
    'parseVkey',
    'readFrontier',
    'scanJson',
    'sha256',
    'sha256Hex',
    'signCheckpoint',
    'signNote',
    'tilePath',
    'tileWidth',
    'verifyConsistency',
    'verifyInclusion',
  ])
})

test('nothing but types is imported from node, so that browsers can load every file', () => {
  const folder = new URL('../src/', import.meta.url)
  const files = readdirSync(folder)
  expect(files.length).toBeGreaterThan(10)
  for (const file of files) {
    const imports = readFileSync(new URL(file, folder), 'utf8').match(/^.* from 'node:.*$/gm) ?? []
    for (const line of imports) expect(line).toMatch(/^import type /)
  }
})
