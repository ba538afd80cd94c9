// Asks for passphrases on the terminal without echo, and always restores the terminal mode.
import { on } from 'node:events'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { CliError, EXIT } from '../exit.js'
import { type Io, PASSPHRASE_VARIABLE } from '../terminal/io.js'

/** Maximum length of a passphrase. If a file is pasted by mistake, reading stops at this length. */
const PASSPHRASE_LENGTH_MAX = 2048

/** Control keys as a terminal sends them in raw mode. */
const KEY = { interrupt: '\u0003', endOfInput: '\u0004', backspace: '\b', clear: '\u0015', delete: '\u007f' } as const

/** Arrow keys, function keys and other escape sequences. */
const ESCAPE_SEQUENCE = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|O.|[^[O])?/gu

/** Asks for the passphrase of a private key. @returns null without a terminal */
export async function askPassphrase(io: Io, path: string): Promise<string | null> {
  const typed = await askHidden(io, [`passphrase of \`${escapeForTerminal(path)}\`: `])
  if (typed === null) return null
  const [passphrase = ''] = typed
  if (passphrase === '') throw new CliError(EXIT.failed, 'the passphrase is empty', 'type the passphrase, then Enter')
  return passphrase
}

/**
 * The passphrase for a new key: SUDOAGENT_KEY_PASSPHRASE, or typed twice.
 *
 * @throws CliError if no passphrase is available, the passphrase is empty, or the two typed passphrases differ
 */
export async function newPassphrase(io: Io): Promise<string> {
  if (io.keyPassphrase !== undefined) return io.keyPassphrase
  const typed = await askHidden(io, ['passphrase for the new key: ', 'repeat the passphrase: '])
  if (typed === null) {
    const message = '--encrypt needs a passphrase, and there is no terminal to ask for one'
    throw new CliError(EXIT.failed, message, `set ${PASSPHRASE_VARIABLE}`)
  }
  const [first = '', second] = typed
  if (first === '') throw new CliError(EXIT.failed, 'the passphrase is empty', 'for an unencrypted key, omit --encrypt')
  if (first !== second) throw new CliError(EXIT.failed, 'the two passphrases differ', 'type the same passphrase twice')
  return first
}

/**
 * Prints the questions on stderr and returns the answer to each, up to Enter. Backspace and Ctrl-U edit the answer,
 * Ctrl-C ends the process, other control characters are ignored.
 *
 * @returns null without a terminal
 */
async function askHidden(io: Io, questions: readonly string[]): Promise<readonly string[] | null> {
  const keyboard = io.keyboard()
  if (keyboard === null) return null
  const restore = (): void => void keyboard.setRawMode(false)
  const forget = io.atExit(restore)
  // Set before the question is printed, so that no typed character is echoed.
  keyboard.setRawMode(true)
  try {
    return await readAnswers(keyboard, io, questions)
  } finally {
    forget()
    restore()
    keyboard.pause()
  }
}

async function readAnswers(keyboard: NodeJS.ReadStream, io: Io, questions: readonly string[]): Promise<string[]> {
  const answers: string[] = []
  let line = ''
  await io.stderr.write(questions[0] ?? '')
  for await (const key of keysOf(keyboard)) {
    if (key === '\r' || key === '\n' || key === KEY.endOfInput) {
      answers.push(line)
      line = ''
      await io.stderr.write(`\n${questions[answers.length] ?? ''}`)
      if (answers.length === questions.length) return answers
    } else if (key === KEY.interrupt) {
      await io.stderr.write('\n')
      io.interrupt()
    } else {
      line = edit(line, key)
    }
  }
  throw new CliError(EXIT.failed, 'the terminal was closed', 'try again')
}

async function* keysOf(keyboard: NodeJS.ReadStream): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const [bytes] of on(keyboard, 'data', { close: ['end', 'close'] })) {
    let text: string
    try {
      text = decoder.decode(bytes as Buffer, { stream: true })
    } catch {
      throw new CliError(EXIT.failed, 'the input is not UTF-8', `set ${PASSPHRASE_VARIABLE} instead`)
    }
    yield* text.replace(ESCAPE_SEQUENCE, '').replaceAll('\r\n', '\r')
  }
}

function edit(line: string, key: string): string {
  if (key === KEY.delete || key === KEY.backspace) return [...line].slice(0, -1).join('')
  if (key === KEY.clear) return ''
  if (/\p{Cc}/u.test(key)) return line
  if (line.length >= PASSPHRASE_LENGTH_MAX) {
    throw new CliError(EXIT.failed, `the passphrase is longer than ${PASSPHRASE_LENGTH_MAX} characters`, 'try again')
  }
  return line + key
}
