/**
 * Distinguishes a key file of the wrong kind from a damaged key file and gives a hint for each kind, because users
 * cannot act on a message such as "cannot read key". These functions only produce errors.
 */

import { bytesToHex } from '../bytes/hash.js'
import { CryptoError } from '../error.js'
import { pemLabel } from './pem.js'

type KeyPart = 'public' | 'private'

/** The PEM labels that key files use (RFC 7468, and older OpenSSL and OpenSSH formats), for error messages. */
const KIND_OF_LABEL: ReadonlyMap<string, string> = new Map([
  ['PUBLIC KEY', 'a public key'],
  ['PRIVATE KEY', 'a private key'],
  ['ENCRYPTED PRIVATE KEY', 'an encrypted private key'],
  ['OPENSSH PRIVATE KEY', 'a private key in OpenSSH format'],
  ['SSH2 PUBLIC KEY', 'a public key in SSH2 format'],
  ['RSA PRIVATE KEY', 'an RSA private key'],
  ['RSA PUBLIC KEY', 'an RSA public key'],
  ['EC PRIVATE KEY', 'an EC private key'],
  ['EC PARAMETERS', 'an EC parameter file'],
  ['DSA PRIVATE KEY', 'a DSA private key'],
  ['CERTIFICATE', 'a certificate'],
  ['CERTIFICATE REQUEST', 'a certificate request'],
  ['PGP PUBLIC KEY BLOCK', 'a PGP public key'],
  ['PGP PRIVATE KEY BLOCK', 'a PGP private key'],
])

/** The DER object identifiers of unsupported algorithms, including tag and length. */
const ALGORITHMS: readonly (readonly [oid: string, name: string])[] = [
  ['06092a864886f70d0101', 'an RSA'],
  ['06072a8648ce3d0201', 'an EC'],
  ['06072a8648ce380401', 'a DSA'],
  ['06032b656e', 'an X25519'],
  ['06032b656f', 'an X448'],
  ['06032b6571', 'an Ed448'],
]

/** The number of bytes at the start of a DER key that are searched for the algorithm. */
const ALGORITHM_BYTES_MAX = 32

const HINTS: ReadonlyMap<string, string> = new Map([
  ['PRIVATE KEY for public', 'extract its public key: openssl pkey -in private.pem -pubout -out public.pem'],
  ['ENCRYPTED PRIVATE KEY for public', 'extract its public key: openssl pkey -in private.pem -pubout -out public.pem'],
])

const MAKE_ONE: Readonly<Record<KeyPart, string>> = {
  private: 'make an Ed25519 key: `sudoagent keygen`, or openssl genpkey -algorithm ed25519 -out private.pem',
  public: 'use the public key of an Ed25519 key pair: openssl pkey -in private.pem -pubout -out public.pem',
}

/**
 * Requires that PEM text begins with the wanted label.
 *
 * @throws CryptoError `KEY_WRONG_TYPE` naming the kind of key that was given; `KEY_INVALID` if the text is not PEM
 */
export function requireLabel(text: string, wanted: 'PUBLIC KEY' | 'PRIVATE KEY'): void {
  const part: KeyPart = wanted === 'PUBLIC KEY' ? 'public' : 'private'
  // A plain JavaScript caller may pass the result of readFile without an encoding, which is a Buffer.
  if (typeof text !== 'string') throw new CryptoError('KEY_INVALID', 'the key is not PEM text', MAKE_ONE[part])
  const label = pemLabel(text)
  if (label === wanted) return
  const kind = label === null ? sshKind(text) : KIND_OF_LABEL.get(label)
  if (kind === undefined)
    throw new CryptoError('KEY_INVALID', 'the key file does not begin with a PEM block', MAKE_ONE[part])
  const needed = label === 'PUBLIC KEY' || label === 'PRIVATE KEY' ? `a ${part} key` : `an Ed25519 ${part} key`
  const hint = HINTS.get(`${label} for ${part}`) ?? MAKE_ONE[part]
  throw new CryptoError('KEY_WRONG_TYPE', `${kind} was given where ${needed} is needed`, hint)
}

/** Creates the error for DER that is not an Ed25519 key: a key for a different algorithm, or not a key at all. */
export function wrongAlgorithm(der: Uint8Array, part: KeyPart): CryptoError {
  const start = bytesToHex(der.subarray(0, ALGORITHM_BYTES_MAX))
  const algorithm = ALGORITHMS.find(([oid]) => start.includes(oid))?.[1]
  if (algorithm === undefined) {
    return new CryptoError('KEY_INVALID', `the ${part} key is not an Ed25519 key in standard form`, MAKE_ONE[part])
  }
  const message = `${algorithm} ${part} key was given where an Ed25519 ${part} key is needed`
  return new CryptoError('KEY_WRONG_TYPE', message, MAKE_ONE[part])
}

function sshKind(text: string): string | undefined {
  return /^\s*(?:ssh|ecdsa|sk)-[a-z0-9@.-]{1,64} /.test(text) ? 'a public key in OpenSSH format' : undefined
}
