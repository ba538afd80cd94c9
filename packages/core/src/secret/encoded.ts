/**
 * Finds secrets in base64, such as `GITHUB_TOKEN=ghp_…` in a Kubernetes manifest or a header. A match requires that
 * the decoded text consists of one secret and little other text.
 */
import { isUtf8 } from 'node:buffer'
import type { Span } from './masked-text.js'

const RUN = /(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/]{24,1400}={0,2}(?![A-Za-z0-9+/_=-])/g
/**
 * The maximum length of the decoded text outside the secret: enough for a name and a separator. Longer text is a
 * document and is not concealed as a whole.
 */
const BESIDE_MAX = 32
const CONTROL = /[^\P{Cc}\n\r\t]/u

/** @param secretLength - returns the number of secret characters in a text */
export function findEncoded(text: string, secretLength: (text: string) => number): readonly Span[] {
  const spans: Span[] = []
  for (const { 0: run, index } of text.matchAll(RUN)) {
    const bytes = Buffer.from(run, 'base64')
    if (!isUtf8(bytes)) continue
    const decoded = bytes.toString()
    if (CONTROL.test(decoded)) continue
    const length = secretLength(decoded)
    if (length > 0 && decoded.length - length <= BESIDE_MAX) {
      spans.push({ start: index, end: index + run.length, kind: 'token' })
    }
  }
  return spans
}
