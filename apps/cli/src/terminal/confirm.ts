// A question that a person answers with yes, at the terminal that they look at.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Io } from './io.js'

/** Before the question, input is thrown away for this long: what the terminal holds already was typed for something else. */
const SETTLE_MS = 100

/** Nothing else is a yes. */
const YES = /^[ \t]*(?:y|yes)[ \t]*$/i

/** Asks; null where nobody can be asked. The end of input is a no. */
export async function confirm(io: Io, question: string): Promise<boolean | null> {
  const keyboard = io.keyboard()
  if (keyboard === null) return null
  const line = await readLine(keyboard, io, question)
  return line !== null && YES.test(line)
}

/** Asks whether to go on: Enter alone does. */
export async function confirmNext(io: Io, question: string): Promise<boolean> {
  const keyboard = io.keyboard()
  const line = keyboard === null ? null : await readLine(keyboard, io, question)
  return line !== null && line.trim() === ''
}

/** The first line that is typed after the question; null at the end of input. */
async function readLine(keyboard: NodeJS.ReadStream, io: Io, question: string): Promise<string | null> {
  await discardTypedAhead(keyboard, io)
  await io.stderr.write(question)
  let ended = (): void => {}
  const reader = createInterface({ input: keyboard, terminal: false })
  try {
    return await new Promise<string | null>((resolve) => {
      ended = () => resolve(null)
      // In front of readline's own, which at the end of input takes a `y` without Enter for a line.
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

/** In raw mode the terminal hands over the unfinished line too, which would otherwise become the start of the answer. */
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
