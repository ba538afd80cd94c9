// Converts lines to text in which every byte is one character and a string ends at the next quote that is not
// escaped.
import { isAscii, isUtf8 } from 'node:buffer'

const LF = 10

/**
 * Converts ASCII lines to text; null if there is a byte that is not ASCII, or a control character other than a line
 * feed.
 */
export function plainText(bytes: Buffer): string | null {
  return isAscii(bytes) && !hasControls(bytes) ? bytes.toString('latin1') : null
}

/**
 * Converts one line to text; null if the line has a control character, is not UTF-8, or is not in Unicode
 * normalisation form C (NFC). If a line is in NFC, so is every string in it, since quotes and escapes do not compose
 * with the next character.
 */
export function lineText(line: Buffer): string | null {
  if (isAscii(line)) return hasControls(line) || line.includes(LF) ? null : line.toString('latin1')
  if (hasControls(line) || line.includes(LF) || !isUtf8(line)) return null
  const text = line.toString('utf8')
  return text.normalize('NFC') === text ? text : null
}

/** Number of line feeds. */
export function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) lines += 1
  return lines
}

/** Whether bytes contain a control character other than a line feed. Tests four bytes at a time for a byte below 32. */
function hasControls(bytes: Buffer): boolean {
  const whole = bytes.byteOffset % 4 === 0 ? bytes.length >> 2 : 0
  const words = new Int32Array(bytes.buffer, whole === 0 ? 0 : bytes.byteOffset, whole)
  for (let i = 0; i < whole; i += 1) {
    const word = words[i] ?? 0
    if (((word - 0x20202020) & ~word & 0x80808080) !== 0 && hasControlsIn(bytes, 4 * i, 4 * i + 4)) return true
  }
  return hasControlsIn(bytes, 4 * whole, bytes.length)
}

function hasControlsIn(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) {
    const byte = bytes[i] ?? 0
    if (byte < 0x20 && byte !== LF) return true
  }
  return false
}
