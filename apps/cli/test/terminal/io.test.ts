// Tests the standard streams: terminals, colours, closed pipes, full disks, and signals.
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sampled } from '../../../../test/tier.js'
import { manyCalls, SAMPLE, writeLedger } from '../support/ledger.js'
import { hasTerminal, Sandbox, skipUnless } from '../support/sandbox.js'

const box = new Sandbox()
/** Number of calls, large enough to interrupt a command while it runs and to fill a pipe with its output. */
const CALLS = 8_000

beforeAll(async () => {
  await writeLedger(box.path('l.jsonl'), SAMPLE)
  await writeLedger(box.path('big.sqlite'), manyCalls(CALLS))
  // A file of repeated lines is fast to write, but slow to verify.
  writeFileSync(box.path('long.jsonl'), readFileSync(box.path('l.jsonl'), 'utf8').repeat(6_000))
  writeFileSync(
    box.path('changed.jsonl'),
    readFileSync(box.path('l.jsonl'), 'utf8').replace('above the limit', 'below'),
  )
})
afterAll(() => box.remove())

const ESCAPE = '\u001b['
const noTerminal = skipUnless(hasTerminal(), 'no pseudo-terminal: `script` of util-linux is missing')

describe.skipIf(noTerminal)('on a terminal', () => {
  it('filter and search show a table with colours, as wide as the terminal, and say what to do next', () => {
    for (const args of [
      ['filter', 'l.jsonl'],
      ['search', 'l.jsonl', '--query', 'refund_user'],
    ]) {
      const { code, stdout } = box.terminal(args, 60)
      expect(code).toBe(0)
      expect(stdout).toContain(`${ESCAPE}1m`)
      expect(stdout).toContain(`${ESCAPE}31mdeny`)
      expect(stdout).toMatch(/ACTION +RESULT +REASON/)
      expect(stdout).toContain('`sudoagent show')
    }
  })

  it('narrow terminals get fewer columns', () => {
    expect(box.terminal(['filter', 'l.jsonl'], 80).stdout).toContain('AGENT')
    expect(box.terminal(['filter', 'l.jsonl'], 40).stdout).not.toContain('AGENT')
  })

  it('show tells the story in text', () => {
    const { stdout } = box.terminal(['show', 'l.jsonl', '5'], 80)
    expect(stdout).toContain('approved by alice')
    expect(stdout).toContain('`sudoagent verify` to verify')
  })

  it.each(
    sampled<[string, string[], Record<string, string>]>(
      [
        ['--no-color', ['--no-color'], {}],
        ['NO_COLOR', [], { NO_COLOR: '1' }],
        ['TERM=dumb', [], { TERM: 'dumb' }],
        ['FORCE_COLOR=0', [], { FORCE_COLOR: '0' }],
        ['--no-color against FORCE_COLOR', ['--no-color'], { FORCE_COLOR: '1' }],
        ['NO_COLOR against FORCE_COLOR', [], { FORCE_COLOR: '3', NO_COLOR: '1' }],
      ],
      2,
    ),
  )('%s: no escape sequence at all', (_, args, env) => {
    for (const command of [
      ['filter', 'l.jsonl'],
      ['show', 'l.jsonl', '1'],
      ['verify', 'changed.jsonl'],
      ['verify', 'missing'],
    ]) {
      expect(box.terminal([...command, ...args], 80, env).stdout).not.toContain('\u001b')
    }
  })

  it('long work shows progress and takes it away; short work shows none; --quiet shows none', () => {
    const { stdout } = box.terminal(['export', 'long.jsonl', '--output', 'long.json'], 80)
    expect(stdout).toMatch(/\d,\d{3} entries read/)
    // The last output clears the line and restores the cursor.
    expect(stdout.slice(stdout.lastIndexOf('entries read'))).toContain(`${ESCAPE}0K`)
    expect(stdout.lastIndexOf(`${ESCAPE}?25h`)).toBeGreaterThan(stdout.lastIndexOf('entries read'))
    expect(box.terminal(['verify', 'l.jsonl'], 80).stdout).not.toContain('entries read')
    expect(box.terminal(['verify', 'long.jsonl', '--quiet'], 80).stdout).not.toContain('entries read')
  })

  it('exit codes are the same', () => {
    expect(box.terminal(['verify', 'changed.jsonl'], 80).code).toBe(1)
    expect(box.terminal(['verify', 'missing'], 80).code).toBe(3)
  })
})

describe('without a terminal', () => {
  it('no escape sequence, unless FORCE_COLOR asks for it', () => {
    const args = ['filter', 'l.jsonl', '--format', 'table']
    expect(box.run(args).stdout).not.toContain('\u001b')
    expect(box.run(args, { env: { FORCE_COLOR: '1' } }).stdout).toContain(ESCAPE)
    expect(box.run(args, { env: { FORCE_COLOR: '1', NO_COLOR: '1' } }).stdout).not.toContain('\u001b')
    expect(box.run(['verify', 'missing'], { env: { FORCE_COLOR: '1' } }).stderr).toContain(`${ESCAPE}31merror`)
  })

  it('machine output has no colour, whoever forces it', () => {
    expect(box.run(['filter', 'l.jsonl'], { env: { FORCE_COLOR: '1' } }).stdout).toBe(
      readFileSync(box.path('l.jsonl'), 'utf8'),
    )
  })

  it('no progress', () =>
    expect(box.run(['search', 'long.jsonl', '--query', 'refund', '--output', 'found.json']).stderr).toBe(''))
})

describe('a pipe that closes', () => {
  it.each([
    ['export big.sqlite', 0],
    ['filter big.sqlite', 0],
    ['filter big.sqlite --format csv', 0],
    ['filter big.sqlite --format table', 0],
    ['search big.sqlite --query refund', 0],
  ])('%s | head -1: exit %i, nothing on stderr', (line, code) => {
    const { stdout, stderr } = box.shell(`$S ${line} | head -1; echo "\${PIPESTATUS[0]}"`)
    expect(stderr).toBe('')
    expect(stdout.split('\n').at(-2)).toBe(String(code))
  })

  it.each([
    ['verify l.jsonl', 0],
    ['verify l.jsonl --json', 0],
    ['verify changed.jsonl --json', 1],
    ['verify changed.jsonl 2>/dev/null', 1],
    ['show l.jsonl 2', 0],
    ['receipt l.jsonl --request-id none 2>/dev/null', 1],
    ['--help', 0],
  ])('%s | nobody: exit %i all the same', (line, code) => {
    // The reader exits before the command writes its output.
    const { stdout, stderr } = box.shell(`$S ${line} | true; echo "\${PIPESTATUS[0]}"`)
    expect({ stdout, stderr }).toEqual({ stdout: `${code}\n`, stderr: '' })
  })

  it('stderr: the exit code is still right', () => {
    expect(box.shell('$S verify changed.jsonl 2> >(true) >/dev/null; echo $?').stdout).toBe('1\n')
    expect(box.shell('$S verify changed.jsonl 2>&- >&-; echo $?').stdout).toBe('1\n')
  })
})

describe('a full disk under standard output', () => {
  it.each(['verify l.jsonl', 'export big.sqlite', 'filter l.jsonl', 'show l.jsonl 2', '--help'])(
    '%s: exit 3 and why',
    (line) => {
      const { code, stderr } = box.shell(`$S ${line} > /dev/full`)
      expect(code).toBe(3)
      expect(stderr).toMatch(/^sudoagent: error: standard output cannot be written: the disk is full\n/)
    },
  )
})

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: exit %i, no file and no temporary file, and nothing is said', async (signal, code) => {
    const files = box.files()
    const child = box.start(['export', 'big.sqlite', '--output', `${signal}.csv`])
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    const exited = once(child, 'exit')
    const deadline = Date.now() + 60_000
    while (!readdirSync(box.folder).some((name) => name.startsWith('.sudoagent-'))) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error('the temporary file was never seen')
      await delay(2)
    }
    child.kill(signal)
    expect(await exited).toEqual([code, null])
    expect(said).toBe('')
    expect(box.files()).toEqual(files)
  })
})
