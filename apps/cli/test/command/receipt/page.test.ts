import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { hasTerminal, sandbox, skipUnless } from '../../support/sandbox.js'

const BUILT = new URL('../../../../receipt-page/dist/receipt.html', import.meta.url)
const skip = skipUnless(hasTerminal(), 'no pseudo-terminal is available')

it('hands out the page as it is built, to a file and to a pipe', () => {
  const box = sandbox()
  const page = readFileSync(BUILT, 'utf8')
  expect(box.run(['receipt', 'page', '--output', 'page.html'])).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(readFileSync(box.path('page.html'), 'utf8')).toBe(page)
  expect(page).toMatch(/^<!doctype html>[\s\S]*Content-Security-Policy" content="default-src 'none'/)
  expect(box.run(['receipt', 'page']).stdout).toBe(page)
  expect(box.run(['receipt', 'page', '--output', '-']).stdout).toBe(page)
  // `./page` is the path of a ledger, not the subcommand `page`.
  expect(box.run(['receipt', './page', '--request-id', 'x']).stderr).toContain('`./page` does not exist')
})

it.skipIf(skip)('does not fill a terminal with it', () => {
  const { code, stdout } = sandbox().terminal(['receipt', 'page'], 80)
  expect(code).toBe(2)
  expect(stdout).toMatch(/not for a terminal\n[^\n]*name a file with --output\n$/)
})

it('a file that cannot be written is an error, and leaves nothing', () => {
  const box = sandbox()
  const { code, stderr } = box.run(['receipt', 'page', '--output', 'missing/page.html'])
  expect(code).toBe(3)
  expect(stderr).toMatch(/^sudoagent: error: .*missing\/page\.html/)
  expect(existsSync(box.path('missing'))).toBe(false)
})
