// Tests the built page in a real browser, which opens the page from disk and has no network.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { allowedCall } from '../../../bench/call.mjs'
import { assertedRequirement } from '../../../packages/crypto/dist/entry.js'
import { createSigner, generatePrivateKey } from '../../../packages/crypto/dist/index.js'
import {
  createCosigner,
  createSignature,
  encodeNote,
  encodeVkey,
  parseNote,
} from '../../../packages/crypto/dist/note.js'
import { verifyReceipt } from '../../../packages/crypto/dist/receipt.js'
import { makeReceipt, openLedgerReader } from '../../../packages/ledger/dist/index.js'
import { JsonlLedger } from '../../../packages/ledger/dist/store/jsonl/ledger.js'
import { MemoryLedger } from '../../../packages/ledger/dist/store/memory.js'
import { testKey } from '../../../packages/ledger/test/fixtures/draft.js'
import { pypiLines } from '../../../packages/ledger/test/fixtures/pypi-lines.js'
import { isLong } from '../../../test/tier.js'

/**
 * Ledgers written by the Python package, for the long tier. They are stored outside the repository and may be
 * missing.
 */
const PYPI = fileURLToPath(new URL('../../../../shared/vectors/python-pypi-2.0.0/', import.meta.url))
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
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
    // The browser loaded only the page, and nothing violated the page's content security policy.
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
    expect(says).toMatch(/^This is recorded: the log signed it/)
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
    const { createNoteKey } = await import('../../../packages/crypto/dist/note.js')
    await page.setInputFiles('#receipt-file', {
      name: 'r.json',
      mimeType: 'application/json',
      buffer: Buffer.from(receipt),
    })
    await page.fill('#key', encodeVkey(createNoteKey('example.com/agents', key.publicKey)))
    await expect.poll(() => shown()).toMatch(/^This is recorded/)
    const dropped = receipt.replace('ord-1', 'ord-2')
    // The code is a string because it runs in the page: this file is compiled with the Node types, which lack the DOM.
    await page.evaluate(`{
      const transfer = new DataTransfer()
      transfer.items.add(new File([${JSON.stringify(dropped)}], 'r.json'))
      document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }))
    }`)
    await expect.poll(() => shown()).toMatch(/^This receipt is not valid/)
  })

  const drop = (onto: string, text: string, name: string): Promise<unknown> =>
    page.evaluate(`{
      const transfer = new DataTransfer()
      transfer.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(name)}))
      const event = new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true })
      document.querySelector(${JSON.stringify(onto)}).dispatchEvent(event)
      event.defaultPrevented
    }`)

  it('takes what is dropped on the field of the key and of the policy, and says what it took', async () => {
    expect(await drop('#receipt', receipt, 'r.json')).toBe(true)
    expect(await drop('#key', key.publicKey.pem, 'log\u202e.pem')).toBe(true)
    await expect.poll(() => shown()).toMatch(/^This is recorded/)
    expect(await page.textContent('#receipt-name')).toBe('r.json')
    expect(await page.textContent('#key-name')).toBe('log\\u{202e}.pem')
    await page.setInputFiles('#key-file', {
      name: 'other.pem',
      mimeType: 'text/plain',
      buffer: Buffer.from(generatePrivateKey().publicKey.pem),
    })
    await expect.poll(() => shown()).toMatch(/a different key signed it/)
    expect(await page.textContent('#key-name')).toBe('other.pem')
    // Once the text is edited, the page must not attribute it to the file.
    await page.fill('#key', key.publicKey.pem)
    expect(await page.textContent('#key-name')).toBe('')
    await page.click('summary')
    expect(await drop('#policy', 'quorum none\nnonsense\n', 'policy.txt')).toBe(true)
    await expect.poll(() => shown()).toMatch(/line 2 of the policy/i)
  })

  it('a file that misses the fields does not replace the page, nor does a huge one', async () => {
    expect(await drop('h1', receipt, 'r.json')).toBe(true)
    expect(await page.title()).toBe('Check a receipt')
    await drop('#key', 'x'.repeat(64 * 1024 + 1), 'huge.pem')
    await expect.poll(() => shown()).toMatch(/too large for a public key/)
  })

  it('says in plain words what is wrong, and names in them are code, not backticks', async () => {
    const says = await fill(receipt.replace('"amount": 25', '"amount": 26'))
    expect(says).toContain('This receipt was altered: its content is not the recorded content.')
    expect(says).toContain('entry_hash is not the hash of the entry (ENTRY_HASH_MISMATCH)')
    await page.screenshot({ path: `${SHOTS}/altered.png`, fullPage: true })
    await fill(receipt)
    expect(await page.locator('#result li code').allTextContents()).toContain('example.com/agents')
    for (const sentence of await page.locator('#result li').allTextContents()) expect(sentence).not.toContain('`')
  })

  it('the sections that open have their triangle', async () => {
    const displays = await page.evaluate(
      `[...document.querySelectorAll('summary')].map((one) => getComputedStyle(one).display)`,
    )
    expect(displays).toEqual(['list-item', 'list-item'])
  })

  it('shows a stop, its end and a question, and says what they prove', async () => {
    const ledger = new MemoryLedger({ signer: createSigner(key), origin: 'example.com/agents' })
    const { decision } = allowedCall(2)
    await ledger.ask({
      requestId: decision.request_id,
      decisionAt: decision.created_at,
      decisionHash: decision.decision.decision_hash,
      policyHash: decision.decision.policy_hash,
      action: decision.action,
      agentId: decision.agent_id,
      requirement: assertedRequirement('large-refunds'),
      redacted: 2,
      ttlMs: 300_000,
    })
    const { stopId } = await ledger.stop({ agent: 'support-*' }, { reason: REASON, by: 'alice' })
    await ledger.resume(stopId, { reason: 'fixed', by: 'bob' })
    const receiptOf = async (position: number) => (await makeReceipt(ledger.reader(), { position })).text
    const asked = await fill(await receiptOf(2))
    expect(asked).toMatch(/^This is recorded: the log signed it/)
    for (const part of ['large-refunds', '1 approval', '2 values are not shown', 'this question, exactly as shown,'])
      expect(asked).toContain(part)
    const stop = await fill(await receiptOf(3))
    for (const part of ['agent support-*', '<img src=x', '\\u{202e}gnp.exe', 'that the stop is still open'])
      expect(stop).toContain(part)
    expect(await page.locator('#result img').count()).toBe(0)
    expect(await fill(await receiptOf(4))).toContain('this end of a stop, exactly as shown, is entry 4')
    expect(await fill(await receiptOf(1))).toContain('"entries_signed":true')
    const changed = (await receiptOf(3)).replace('support-*', 'support-1')
    expect(await fill(changed)).toMatch(/ENTRY_HASH_MISMATCH/)
  })

  it('a receipt whose content was left out proves a hash, and says so', async () => {
    const says = await fill(short)
    expect(says).toMatch(/^This is recorded/)
    expect(says).toContain('the content of the entry: it was omitted')
    expect(says).not.toContain('payments.refund')
  })

  // Entries in the format of the Python package, followed by an entry and a head from our writer.
  describe.each<[string, { readonly lines: () => string; readonly pem: () => string; readonly isHere: boolean }]>([
    ['in its shape', { lines: () => textOf(pypiLines(true)), pem: () => testKey(1).publicKey.pem, isHere: true }],
    [
      'that it wrote',
      {
        lines: () => readFileSync(`${PYPI}signed.jsonl`, 'utf8'),
        pem: () => readFileSync(`${PYPI}signed.pub.pem`, 'utf8'),
        isHere: isLong && existsSync(PYPI),
      },
    ],
  ])('a receipt of the package on PyPI, %s', (_, { lines, pem, isHere }) => {
    /** Maps each kind of decision to its line and its receipt. */
    const receipts = new Map<string, readonly [decision: string, receipt: string]>()
    beforeAll(async () => {
      if (!isHere) return
      const path = join(mkdtempSync(join(tmpdir(), 'sudoagent-receipt-page-')), 'ledger.jsonl')
      writeFileSync(path, lines())
      const ledger = JsonlLedger.open(path, { signer: createSigner(key) })
      await ledger.append(allowedCall(7).decision)
      await ledger.close()
      const reader = await openLedgerReader(path)
      for (const line of lines().split('\n').slice(0, -1)) {
        const { event, decision, approval, request_id: requestId } = JSON.parse(line)
        const kind = `${decision.effect}, ${approval === null ? 'nobody' : 'a person'} was asked`
        if (event !== 'decision' || receipts.has(kind)) continue
        receipts.set(kind, [line, (await makeReceipt(reader, { requestId })).text])
      }
      await reader.close()
      rmSync(dirname(path), { recursive: true })
    })

    it.skipIf(!isHere)('is shown with its arguments, and does not hold when it was changed', async () => {
      expect(receipts.size).toBeGreaterThanOrEqual(3)
      for (const [kind, [line, text]] of receipts) {
        const wasAsked = kind === 'allow, a person was asked'
        if (!isLong && !wasAsked) continue
        const { action, agent_id: agent, decision, metadata } = JSON.parse(line)
        const says = await fill(text, `${key.publicKey.pem}${pem()}`)
        expect(says, kind).toMatch(/^This is recorded: the log signed it/)
        for (const part of [action, agent, decision.policy_id, ...metadata.args]) expect(says, kind).toContain(part)
        if (!wasAsked) continue
        // The page shows the finding of `receipt verify`.
        const [finding] = verifyReceipt(text, { publicKeys: [key.publicKey] }).findings
        const alone = await fill(text, key.publicKey.pem)
        expect(alone, kind).toMatch(/^This receipt cannot be checked with this key alone: the key signed/)
        expect(alone, kind).toContain(`${finding?.message} (KEY_UNKNOWN)Hint: ${finding?.hint}`)
        expect(alone, kind).not.toContain('a different key signed it')
        const other = text.replaceAll(decision.policy_id, `${decision.policy_id}2`)
        expect(await fill(other, `${key.publicKey.pem}${pem()}`), kind).toMatch(/^This receipt is not valid/)
      }
    })
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
    expect(says).not.toContain('This is recorded')
  })

  it('never leaves a verdict beside what it is not about', async () => {
    expect(await fill(receipt)).toMatch(/^This is recorded/)
    await page.fill('#key', '')
    expect(await shown()).toMatch(/Add the public key of the log/)
    await page.fill('#key', key.publicKey.pem)
    await page.fill('#receipt', `${receipt.slice(0, -3)}`)
    expect(await shown()).toMatch(/is not valid/)
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
    expect(await shown()).toMatch(/^This is recorded: the log and the witnesses signed it/)
    await page.fill('#policy', 'quorum none of it')
    expect(await shown()).toMatch(/line 1 of the policy/i)
  })
})
