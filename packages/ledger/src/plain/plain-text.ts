// Text in which every byte is a character, and in which a string within a line ends at the next quote unless a backslash comes first.
import { isAscii, isUtf8 } from 'node:buffer'

const LF = 10

/** Lines as text; null where they hold anything but ASCII, or a control character besides line feeds. */
export function plainText(bytes: Buffer): string | null {
  return isAscii(bytes) && !hasControls(bytes) ? bytes.toString('latin1') : null
}

/**
 * One line as text, whatever characters it has; null where it holds a control character, is not UTF-8, or is not in Unicode
 * normalisation form C. Every string in a line in form C is in form C itself: quotes and escapes do not join with what follows.
 */
export function lineText(line: Buffer): string | null {
  if (isAscii(line)) return hasControls(line) || line.includes(LF) ? null : line.toString('latin1')
  if (hasControls(line) || line.includes(LF) || !isUtf8(line)) return null
  const text = line.toString('utf8')
  return text.normalize('NFC') === text ? text : null
}

/** How many line feeds there are. */
export function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) lines += 1
  return lines
}

/** Whether bytes hold a control character besides line feeds. Four at a time, with the arithmetic that finds a byte below 32. */
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
