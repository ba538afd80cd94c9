import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../src/hash.js'
import { sharedVectors } from './vectors.js'

/** One file of `../shared/vectors/rfc6962`. Numbers keep their text, because two of them fit no double. */
export interface Rfc6962Vector {
  readonly name: string
  readonly wantErr: boolean
  /** By field; a count that fits no number is a bigint. */
  readonly count: (field: string) => number
  readonly hash: (field: string) => Uint8Array
  readonly proof: readonly Uint8Array[]
  /**
   * One file that is to be accepted has words where hashes stand ("don't care 2"), which we refuse for their length: this
   * is the same case with the hashes of those words. Null for all others.
   */
  readonly withHashes: Pick<Rfc6962Vector, 'hash' | 'proof'> | null
}

/** The vectors of a folder, or null, with a notice, when there are none on this machine. */
export function rfc6962Vectors(kind: 'inclusion' | 'consistency'): Rfc6962Vector[] | null {
  const root = sharedVectors('rfc6962')
  if (root === null) return null
  const folder = join(root, kind)
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
  return names.map((name) => readVector(name, readFileSync(join(folder, name), 'utf8')))
}

function readVector(name: string, json: string): Rfc6962Vector {
  const quoted = json.replace(/: (\d+)/g, ': "$1"')
  const fields = JSON.parse(quoted) as Record<string, string | string[] | boolean | null>
  const count = (field: string): number => {
    const exact = BigInt(String(fields[field]))
    // As plain JavaScript may pass it.
    return (exact > BigInt(Number.MAX_SAFE_INTEGER) ? exact : Number(exact)) as number
  }
  const bytes = (base64: unknown): Uint8Array => new Uint8Array(Buffer.from(String(base64), 'base64'))
  const proof = Array.isArray(fields.proof) ? fields.proof.map(bytes) : []
  const hash = (field: string): Uint8Array => bytes(fields[field] ?? '')
  const hashed = (data: Uint8Array): Uint8Array => (data.length === 32 ? data : sha256(data))
  const wantErr = fields.wantErr !== false
  const all = [...proof, ...['root', 'leafHash', 'root1', 'root2'].filter((field) => field in fields).map(hash)]
  return {
    name,
    wantErr,
    count,
    hash,
    proof,
    withHashes:
      wantErr || all.every(({ length }) => length === 32)
        ? null
        : { hash: (field) => hashed(hash(field)), proof: proof.map(hashed) },
  }
}
