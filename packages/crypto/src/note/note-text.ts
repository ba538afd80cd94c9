/**
 * The character rules of C2SP signed notes (https://c2sp.org/signed-note): UTF-8 that contains no ASCII control
 * characters other than line feeds, and ends in a line feed. Checkpoints and proofs follow the same rules.
 */
import { isBytes } from '../bytes/bytes.js'
import { CryptoError, type CryptoErrorCode } from '../error.js'

/**
 * The maximum size of a note in bytes. A note may have 100 signatures, and a post-quantum signature takes up to
 * 5,000 bytes.
 */
export const NOTE_BYTES_MAX = 1024 * 1024

const CONTROL = /[\u0000-\u0009\u000b-\u001f]/

// `ignoreBOM` keeps a byte order mark: the mark is part of the signed text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * Decodes and checks text given as bytes or as a string.
 *
 * @param code - the error code for invalid text
 */
export function readNoteText(
  input: Uint8Array | string,
  code: CryptoErrorCode,
  maxBytes: number = NOTE_BYTES_MAX,
): string {
  if (typeof input !== 'string' && !isBytes(input)) throw new TypeError('text must be a string or a Uint8Array')
  const text = typeof input === 'string' ? input : decode(input, code, maxBytes)
  if (text.length > maxBytes || noteBytes(text).length > maxBytes) throw tooLong(code, maxBytes)
  const fault = textFault(text)
  if (fault !== null) throw new CryptoError(code, fault)
  return text
}

/** Returns the fault of the text, or null if the text is valid. */
export function textFault(text: string): string | null {
  if (typeof text !== 'string') return 'the text is not a string'
  if (!text.isWellFormed()) return 'the text contains a lone surrogate'
  if (CONTROL.test(text)) return 'the text contains a control character'
  return text.endsWith('\n') ? null : 'the text does not end in a line feed'
}

/** Reports whether a string can be a line of a note. */
export function isNoteLine(line: unknown): line is string {
  return typeof line === 'string' && line !== '' && !line.includes('\n') && textFault(`${line}\n`) === null
}

/** Encodes text as UTF-8. Signatures and length limits apply to this form. */
export const noteBytes = (text: string): Uint8Array => encoder.encode(text)

function decode(bytes: Uint8Array, code: CryptoErrorCode, maxBytes: number): string {
  if (bytes.length > maxBytes) throw tooLong(code, maxBytes)
  try {
    return decoder.decode(bytes)
  } catch {
    throw new CryptoError(code, 'the text is not UTF-8')
  }
}

const tooLong = (code: CryptoErrorCode, maxBytes: number): CryptoError =>
  new CryptoError(code, `the text is longer than ${maxBytes} bytes`)
