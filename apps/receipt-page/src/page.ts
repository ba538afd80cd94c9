// Verifies the text in the input fields and shows the result. The result is recomputed whenever an input changes,
// so that the page never shows an outdated verdict.
import { CryptoError } from '@sudoagent/crypto'
import { RECEIPT_BYTES_MAX, verifyReceipt } from '@sudoagent/crypto/receipt'
import { escapeForTerminal } from '@sudoagent/crypto/text'
import { refusalOf, resultOf } from './result.js'
import { readTrust } from './trust.js'

const byId = <T extends HTMLElement>(id: string): T => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`no element ${id}`)
  return found as T
}
const receipt = byId<HTMLTextAreaElement>('receipt')
const key = byId<HTMLTextAreaElement>('key')
const policy = byId<HTMLTextAreaElement>('policy')
const origin = byId<HTMLTextAreaElement>('origin')
const result = byId('result')

function check(): void {
  const [text, keys] = [receipt.value.trim(), key.value.trim()]
  if (text === '' || keys === '') {
    const missing = text === '' ? 'a receipt' : 'the public key of the log'
    show(text === '' && keys === '' ? [] : refusalOf(`Add ${missing}.`, undefined), '')
    return
  }
  if (text.startsWith('c2sp.org/tlog-proof@')) {
    show(
      refusalOf('This is a proof without its entry.', 'Ask for the receipt in JSON, which contains the entry.'),
      'bad',
    )
    return
  }
  try {
    const report = verifyReceipt(text, readTrust(keys, policy.value, origin.value))
    show(resultOf(report), report.ok ? 'good' : 'bad')
  } catch (error) {
    if (error instanceof CryptoError)
      show(refusalOf(sentence(error.message), error.hint && sentence(error.hint)), 'bad')
    else show(refusalOf('This receipt cannot be checked.', 'One possible cause is more than 64 keys.'), 'bad')
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function show(elements: readonly HTMLElement[], className: string): void {
  result.className = className
  result.replaceChildren(...elements)
}

/** A text field that accepts dropped files. */
interface FileField {
  readonly area: HTMLTextAreaElement
  readonly drop: HTMLElement
  /** The file chooser, and the element for the file name. */
  readonly chooser?: { readonly input: HTMLInputElement; readonly name: HTMLElement }
  readonly what: string
  readonly maxBytes: number
}

/** Maximum size of a key or policy file, in bytes. */
const TEXT_BYTES_MAX = 64 * 1024

const fields: readonly FileField[] = [
  {
    area: receipt,
    drop: byId('drop'),
    chooser: { input: byId<HTMLInputElement>('receipt-file'), name: byId('receipt-name') },
    what: 'a receipt',
    maxBytes: RECEIPT_BYTES_MAX,
  },
  {
    area: key,
    drop: byId('key-drop'),
    chooser: { input: byId<HTMLInputElement>('key-file'), name: byId('key-name') },
    what: 'a public key',
    maxBytes: TEXT_BYTES_MAX,
  },
  { area: policy, drop: byId('policy-drop'), what: 'a witness policy', maxBytes: TEXT_BYTES_MAX },
]

/** Replaces the text with the content of a dropped or chosen file. */
async function read({ area, chooser, what, maxBytes }: FileField, chosen: File | undefined): Promise<void> {
  if (chosen === undefined) return
  area.value = ''
  if (chooser !== undefined) {
    chooser.name.textContent = shownName(chosen.name)
    // Allows the user to choose the same file again after it changed.
    chooser.input.value = ''
  }
  check()
  if (chosen.size > maxBytes) {
    show(refusalOf(`This file is too large for ${what}.`, undefined), 'bad')
    return
  }
  area.value = await chosen.text()
  check()
}

const NAME_LENGTH_MAX = 80

/** Escapes the file name, which is untrusted text. */
const shownName = (name: string): string => escapeForTerminal(name, NAME_LENGTH_MAX)

for (const input of [receipt, key, policy, origin]) input.addEventListener('input', check)
for (const field of fields) {
  const { area, drop, chooser } = field
  chooser?.input.addEventListener('change', () => void read(field, chooser.input.files?.[0]))
  // After an edit, the text no longer comes from the file.
  area.addEventListener('input', () => chooser?.name.replaceChildren())
  for (const type of ['dragenter', 'dragover']) drop.addEventListener(type, () => drop.classList.add('over'))
  drop.addEventListener('dragleave', () => drop.classList.remove('over'))
  drop.addEventListener('drop', (event) => {
    drop.classList.remove('over')
    // By default, the browser inserts dropped text, but opens a dropped file in place of this page.
    const chosen = event.dataTransfer?.files[0]
    if (chosen !== undefined) event.preventDefault()
    void read(field, chosen)
  })
}
// The same applies outside the fields, where a dropped file would also make the browser leave the page and lose the
// typed text.
for (const type of ['dragover', 'drop'] as const) {
  document.addEventListener(type, (event) => {
    if (event.dataTransfer?.types.includes('Files') === true) event.preventDefault()
  })
}
// Browsers keep typed text on reload, so check it right away.
check()
