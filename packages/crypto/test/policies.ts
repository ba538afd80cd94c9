import { expect } from 'vitest'
import { createCosigner } from '../src/cosignature.js'
import { encodeVkey } from '../src/note-key.js'
import { parseWitnessPolicy } from '../src/witness-policy.js'
import { codeOf, cryptoErrorOf } from './errors.js'
import { LOG, signerOf } from './signed-notes.js'

/** Six witnesses. */
export const SIX = Array.from({ length: 6 }, (_, i) =>
  createCosigner(`witness.example/w${i}`, signerOf(10 + i), () => 1),
)
/** And their vkeys. */
export const [A = '', B = '', C = '', D = '', E = '', F = ''] = SIX.map(({ key }) => encodeVkey(key))
export const LOG_VKEY = encodeVkey(LOG.key)

/** The example of the specification, with keys. */
export const EXAMPLE = `log ${LOG_VKEY}

witness X1 ${A}
witness X2 ${B}
witness X3 ${C}
group X-witnesses 2 X1 X2 X3

witness Y1 ${D}
witness Y2 ${E}
witness Y3 ${F}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`

export const TWO = `witness a ${A}\nwitness b ${B}\n`
/** The line that an error speaks of, after its code was looked at. */
export function lineOf(text: string | Uint8Array): number {
  expect(codeOf(() => parseWitnessPolicy(text))).toBe('POLICY_INVALID')
  return Number(/\bline (\d+)\b/.exec(cryptoErrorOf(() => parseWitnessPolicy(text)).message)?.[1] ?? 0)
}
