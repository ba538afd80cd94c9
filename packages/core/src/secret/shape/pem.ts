/**
 * Finds private keys in PEM and similar block formats (OpenSSH, SSH2, PGP). Keys in PuTTY's format are found by their
 * field names.
 *
 * The concealed part is the block's BEGIN line, the following base64 lines, and the matching END line. A line that is
 * not base64 ends the block. Otherwise, a model could hide a whole program between two lines of dashes. Certificates
 * and public keys are not secret and are not concealed.
 */
import type { Span } from '../masked-text.js'

const BEGIN = /-{4,5} ?BEGIN ([A-Z][A-Z0-9 ]{0,62}[A-Z0-9]) ?-{4,5}/g
/** Matches a line separator: a line end, a line end as a string escape (`\n`, `\\n`), or spaces. */
const BREAK = /(?:[\r\n \t]|\\{1,8}[nr])*/y
const HEADER_LINE =
  /(?:Proc-Type|DEK-Info|Version|Comment|Subject|Hash|MessageID|X-[A-Za-z-]{1,32}): ?[\w .,:/+=@()"-]{0,128}(?=[\r\n]|\\{1,8}[nr])/y
const BASE64_LINE = /[A-Za-z0-9+/]{1,16384}={0,2}(?:\\?=){0,2}/y
const PUBLIC = /(?:PUBLIC KEY|CERTIFICATE|REQUEST|PARAMETERS|CRL|SIGNATURE|MESSAGE|PKCS7|CMS)/

/** A line with at least this number of characters is not a word. */
const LONG_LINE = 40
const LINE_MIN = 16

export function findPrivateKeys(text: string): readonly Span[] {
  const spans: Span[] = []
  const begins = new RegExp(BEGIN)
  for (let begin = begins.exec(text); begin !== null; begin = begins.exec(text)) {
    const [whole, label = ''] = begin
    const body = begin.index + whole.length
    if (PUBLIC.test(label)) continue
    const end = endOfBlock(text, body, label)
    if (end > body) spans.push({ start: begin.index, end, kind: 'private key' })
    begins.lastIndex = end
  }
  return spans
}

function endOfBlock(text: string, body: number, label: string): number {
  let end = body
  for (let at = body; ; ) {
    const broken = match(BREAK, text, at)
    const closing = endLine(text, at + broken.length, label)
    if (closing > 0) return end > body ? at + broken.length + closing : body
    if (broken === '') return end
    at += broken.length
    const header = match(HEADER_LINE, text, at)
    const line = header === '' ? match(BASE64_LINE, text, at) : header
    if (line === '' || (header === '' && !isKeyLine(text, at, line, label))) return end
    at += line.length
    end = at
  }
}

/** Returns the length of the matching END line; 0 if there is none. */
function endLine(text: string, at: number, label: string): number {
  const found = /^-{4,5} ?END ([A-Z0-9 ]{1,64}?) ?-{4,5}/.exec(text.slice(at, at + 96))
  return found !== null && found[1] === label ? found[0].length : 0
}

/** The base64 of a key mixes upper and lower case; a word or a path does not. */
function isKeyLine(text: string, at: number, line: string, label: string): boolean {
  const next = text[at + line.length]
  // If this test matches, the line continues with a character that is not base64.
  if (next !== undefined && !/[\s\\"'`,;)\]}<-]/.test(next)) return false
  if (line.length >= LONG_LINE && !line.includes('/')) return true
  const isMixed = /[A-Z]/.test(line) && /[a-z]/.test(line) && !/^[A-Z][a-z]*$/.test(line)
  return isMixed && (line.length >= LINE_MIN || !line.includes('/')) ? true : isLastLine(text, at, line, label)
}

/** The last line of a key may consist of a few characters with padding. */
function isLastLine(text: string, at: number, line: string, label: string): boolean {
  const after = at + line.length
  const isWord = /^[a-z]*$|^[A-Z][a-z]*$/.test(line) || (line.includes('/') && !(/[A-Z]/.test(line) && /\d/.test(line)))
  return !isWord && endLine(text, after + match(BREAK, text, after).length, label) > 0
}

function match(sticky: RegExp, text: string, start: number): string {
  sticky.lastIndex = start
  return sticky.exec(text)?.[0] ?? ''
}
