// Asks yes-or-no questions on the terminal.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Io } from './io.js'

/**
 * How long input is discarded before the question, in milliseconds: such input was typed before the question
 * appeared.
 */
const SETTLE_MS = 100

/** Any other answer means no. */
const YES = /^[ \t]*(?:y|yes)[ \t]*$/i

/** Asks a yes-or-no question. The end of input means no. @returns null without a terminal */
export async function confirm(io: Io, question: string): Promise<boolean | null> {
  const keyboard = io.keyboard()
  if (keyboard === null) return null
  const line = await readLine(keyboard, io, question)
  return line !== null && YES.test(line)
}

/** Asks whether to continue; only Enter means yes. */
export async function confirmNext(io: Io, question: string): Promise<boolean> {
  const keyboard = io.keyboard()
  const line = keyboard === null ? null : await readLine(keyboard, io, question)
  return line !== null && line.trim() === ''
}

/** Returns the first line typed after the question; null at the end of input. */
async function readLine(keyboard: NodeJS.ReadStream, io: Io, question: string): Promise<string | null> {
  await discardTypedAhead(keyboard, io)
  await io.stderr.write(question)
  let ended = (): void => {}
  const reader = createInterface({ input: keyboard, terminal: false })
  try {
    return await new Promise<string | null>((resolve) => {
      ended = () => resolve(null)
      // This listener must run before readline's listener, which treats a `y` without Enter at the end of input as a
      // line.
      keyboard.prependListener('end', ended)
      reader.once('line', resolve)
      reader.once('close', ended)
    })
  } finally {
    keyboard.off('end', ended)
    reader.close()
    keyboard.pause()
  }
}

/**
 * Discards earlier input. In raw mode, this includes an unfinished line, which would otherwise become part of the
 * answer.
 */
async function discardTypedAhead(keyboard: NodeJS.ReadStream, io: Io): Promise<void> {
  const restore = (): void => void keyboard.setRawMode(false)
  const forget = io.atExit(restore)
  const discard = (): void => {}
  keyboard.setRawMode(true)
  keyboard.on('data', discard)
  try {
    await sleep(SETTLE_MS)
  } finally {
    keyboard.pause()
    keyboard.off('data', discard)
    forget()
    restore()
  }
}
