// The page as it is built, in a real browser: opened from the disk, without a network.
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { allowedCall } from '../../../bench/call.mjs'
import {
  createCosigner,
  createSignature,
  createSigner,
  encodeNote,
  encodeVkey,
  generatePrivateKey,
  parseNote,
} from '../../../packages/crypto/dist/index.js'
import { makeReceipt } from '../../../packages/ledger/dist/index.js'
import { MemoryLedger } from '../../../packages/ledger/dist/store/memory.js'

const CHROMIUM = '/usr/bin/chromium'
const PAGE = fileURLToPath(new URL('../dist/receipt.html', import.meta.url))
const SHOTS = fileURLToPath(new URL('../../../test-output/receipt-page', import.meta.url))
const hasChromium = existsSync(CHROMIUM)
if (!hasChromium) console.info('skipped: the receipt page in a browser (there is no /usr/bin/chromium)')

const key = generatePrivateKey()
const REASON = '<img src=x onerror="document.title=1"> \u202egnp.exe\u0007'

describe.skipIf(!hasChromium)('the receipt page', () => {
  let browser: Browser
  let page: Page
  let requests: string[]
  let complaints: string[]
  let receipt: string
  let short: string

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    })
    const ledger = new MemoryLedger({ signer: createSigner(key), origin: 'example.com/agents' })
    const { decision, outcome } = allowedCall(1)
    await ledger.append({ ...decision, decision: { ...decision.decision, reason: REASON } })
    await ledger.append(outcome)
    const of = { requestId: decision.request_id }
    receipt = (await makeReceipt(ledger.reader(), of)).text
    short = (await makeReceipt(ledger.reader(), of, { withEntry: false })).text
    mkdirSync(SHOTS, { recursive: true })
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    requests = []
    complaints = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(pathToFileURL(PAGE).href)
  })
  afterEach(async () => {
    // It loaded itself, and nothing else; and nobody complained, its own policy included.
    expect(requests).toEqual([pathToFileURL(PAGE).href])
    expect(complaints).toEqual([])
    await page.close()
  })

  const shown = async (): Promise<string> => (await page.textContent('#result')) ?? ''

  const fill = async (receiptText: string, keyText = key.publicKey.pem): Promise<string> => {
    await page.fill('#receipt', receiptText)
    await page.fill('#key', keyText)
    return shown()
  }

  it('says what is proven and what is not', async () => {
    const says = await fill(receipt)
    expect(says).toMatch(/^This is on record: the log vouches for it/)
    for (const part of [
      'payments.refund',
      'support-bot',
      'success',
      'example.com/agents',
      'Proven',
      'Not proven',
      'ord-1',
    ])
      expect(says).toContain(part)
    await page.screenshot({ path: `${SHOTS}/light.png`, fullPage: true })
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 390, height: 800 })
    await page.screenshot({ path: `${SHOTS}/phone-dark.png`, fullPage: true })
  })

  it('shows hostile text as text', async () => {
    const says = await fill(receipt)
    expect(says).toContain('<img src=x onerror=')
    expect(says).toContain('\\u{202e}gnp.exe\\u{7}')
    expect(await page.locator('#result img').count()).toBe(0)
    expect(await page.title()).toBe('Check a receipt')
  })

  it('takes a dropped or chosen file, and a vkey', async () => {
    const { createNoteKey } = await import('../../../packages/crypto/dist/index.js')
    await page.setInputFiles('#receipt-file', {
      name: 'r.json',
      mimeType: 'application/json',
      buffer: Buffer.from(receipt),
    })
    await page.fill('#key', encodeVkey(createNoteKey('example.com/agents', key.publicKey)))
    await expect.poll(() => shown()).toMatch(/^This is on record/)
    const dropped = receipt.replace('ord-1', 'ord-2')
    // As text: this runs in the page, and the types here are those of Node.
    await page.evaluate(`{
      const transfer = new DataTransfer()
      transfer.items.add(new File([${JSON.stringify(dropped)}], 'r.json'))
      document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }))
    }`)
    await expect.poll(() => shown()).toMatch(/^This receipt does not hold/)
  })

  it('a receipt whose content was left out proves a hash, and says so', async () => {
    const says = await fill(short)
    expect(says).toMatch(/^This is on record/)
    expect(says).toContain('its content was left out')
    expect(says).not.toContain('payments.refund')
  })

  it.each<[string, () => readonly [receipt: string, key: string], RegExp]>([
    [
      'a changed receipt',
      () => [receipt.replace('"amount": 25', '"amount": 26'), key.publicKey.pem],
      /ENTRY_HASH_MISMATCH/,
    ],
    ['another key', () => [receipt, generatePrivateKey().publicKey.pem], /KEY_UNKNOWN/],
    ['no key at all', () => [receipt, 'hello'], /vkey/i],
    ['a private key', () => [receipt, key.pem], /private key/i],
    ['no receipt', () => ['{"a":1}', key.publicKey.pem], /RECEIPT_INVALID/],
    ['a tlog-proof', () => ['c2sp.org/tlog-proof@v1\nindex 1\n', key.publicKey.pem], /receipt in JSON/],
    ['deep nesting', () => ['['.repeat(5000), key.publicKey.pem], /RECEIPT_INVALID/],
  ])('%s: a calm no', async (_, make, why) => {
    const [text, keys] = make()
    const says = await fill(text, keys)
    expect(says).toMatch(why)
    expect(says).not.toContain('This is on record')
  })

  it('never leaves a verdict beside what it is not about', async () => {
    expect(await fill(receipt)).toMatch(/^This is on record/)
    await page.fill('#key', '')
    expect(await shown()).toMatch(/public key of the log is needed/)
    await page.fill('#key', key.publicKey.pem)
    await page.fill('#receipt', `${receipt.slice(0, -3)}`)
    expect(await shown()).toMatch(/does not hold/)
    await page.fill('#receipt', '')
    await page.fill('#key', '')
    expect(await shown()).toBe('')
  })

  it('asks for witnesses when a policy is given', async () => {
    const witness = createCosigner('w.example.com', createSigner(generatePrivateKey()), () => 1_767_323_045)
    const policy = `witness w ${encodeVkey(witness.key)}\nquorum w\n`
    await fill(receipt)
    await page.click('summary')
    await page.fill('#policy', policy)
    expect(await shown()).toMatch(/WITNESS_QUORUM_MISSING/)
    const value = JSON.parse(receipt)
    for (const entry of [value, value.outcome]) {
      const [proof, note] = entry.proof.split(/\n\n([\s\S]*)/)
      const { text, signatures } = parseNote(note)
      const cosigned = encodeNote({ text, signatures: [...signatures, await createSignature(text, witness)] })
      entry.proof = `${proof}\n\n${cosigned}`
    }
    await page.fill('#receipt', JSON.stringify(value))
    expect(await shown()).toMatch(/^This is on record: the log and the witnesses vouch for it/)
    await page.fill('#policy', 'quorum none of it')
    expect(await shown()).toMatch(/line 1 of the policy/i)
  })
})
