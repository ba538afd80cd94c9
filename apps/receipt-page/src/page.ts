// The page: three texts in, a result out, made anew whenever one of them changes, so that no verdict stands beside what it is not about.
import { CryptoError, RECEIPT_BYTES_MAX, verifyReceipt } from '@sudoagent/crypto'
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
const file = byId<HTMLInputElement>('receipt-file')
const drop = byId('drop')
const result = byId('result')

function check(): void {
  const [text, keys] = [receipt.value.trim(), key.value.trim()]
  if (text === '' || keys === '') {
    const missing = text === '' ? 'a receipt' : 'the public key of the log'
    show(text === '' && keys === '' ? [] : refusalOf(`Now ${missing} is needed.`, undefined), '')
    return
  }
  if (text.startsWith('c2sp.org/tlog-proof@')) {
    show(refusalOf('This is a proof without an entry.', 'Ask for the receipt in JSON: it says what is proven.'), 'bad')
    return
  }
  try {
    const report = verifyReceipt(text, readTrust(keys, policy.value, origin.value))
    show(resultOf(report), report.ok ? 'good' : 'bad')
  } catch (error) {
    if (error instanceof CryptoError)
      show(refusalOf(sentence(error.message), error.hint && sentence(error.hint)), 'bad')
    else show(refusalOf('This cannot be checked.', 'More than 64 keys, perhaps.'), 'bad')
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

function show(elements: readonly HTMLElement[], className: string): void {
  result.className = className
  result.replaceChildren(...elements)
}

/** A file that is dropped or chosen takes the place of what was there. */
async function read(chosen: File | undefined): Promise<void> {
  if (chosen === undefined) return
  receipt.value = ''
  check()
  if (chosen.size > RECEIPT_BYTES_MAX) {
    show(refusalOf('This file is too large for a receipt.', undefined), 'bad')
    return
  }
  receipt.value = await chosen.text()
  check()
}

for (const input of [receipt, key, policy, origin]) input.addEventListener('input', check)
file.addEventListener('change', () => void read(file.files?.[0]))
for (const type of ['dragenter', 'dragover']) {
  drop.addEventListener(type, (event) => {
    event.preventDefault()
    drop.classList.add('over')
  })
}
drop.addEventListener('dragleave', () => drop.classList.remove('over'))
drop.addEventListener('drop', (event) => {
  event.preventDefault()
  drop.classList.remove('over')
  void read(event.dataTransfer?.files[0])
})
// A browser keeps what was typed when a page is loaded again.
check()
