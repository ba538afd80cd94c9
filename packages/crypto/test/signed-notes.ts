import { createCosigner } from '../src/cosignature.js'
import { generatePrivateKey } from '../src/key.js'
import { createNoteSigner } from '../src/note-signer.js'
import { createSigner, type Signer } from '../src/signature.js'

/** A signer whose key is the same in every run. */
export const signerOf = (seed: number): Signer => createSigner(generatePrivateKey(() => new Uint8Array(32).fill(seed)))

export const ORIGIN = 'example.com/log'
export const LOG = createNoteSigner(ORIGIN, signerOf(1))
export const NEW_LOG = createNoteSigner(ORIGIN, signerOf(2))
export const OTHER_LOG = createNoteSigner('other.example/log', signerOf(3))
export const WITNESS = createCosigner('witness.example/w1', signerOf(4), () => 1_700_000_000)

/** What a vector gives: text, or base64 where it is not UTF-8. */
export const inputOf = ({ text, base64 }: { text?: string; base64?: string }): Uint8Array | string =>
  text ?? Buffer.from(base64 ?? '', 'base64')

const BITS = [1, 2, 4, 8, 16, 32, 64, 128]

/** Every text that differs from one in one byte, by each of some masks; by default in one bit; of every byte, or of one in so many. */
export function* flips(text: string, masks: readonly number[] = BITS, every = 1): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += every) {
    for (const mask of masks) yield bytes.map((byte, i) => (i === at ? byte ^ mask : byte))
  }
}
