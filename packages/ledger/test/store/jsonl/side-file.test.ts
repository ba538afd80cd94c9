// Tests side files in a folder where other users can write. The writer must never write to files that those users
// placed there.
import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { JsonlLedger } from '../../../src/store/jsonl/ledger.js'
import { writeSideFile } from '../../../src/store/jsonl/side-file.js'
import { decisionDraft } from '../../fixtures/draft.js'
import { verifyFile } from '../../fixtures/ledger-file.js'
import { refusalOf } from '../../fixtures/refusal.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

const names = (folder: string): string[] => readdirSync(folder).sort()

describe('writeSideFile', () => {
  it.each<[string, (planted: string, victim: string) => void, string[]]>([
    ['a link to a file', (planted, victim) => symlinkSync(victim, planted), ['x.head', 'x.head.tmp']],
    ['a link to nothing', (planted, victim) => symlinkSync(`${victim}.new`, planted), ['x.head', 'x.head.tmp']],
    ['a link to itself', (planted) => symlinkSync(basename(planted), planted), ['x.head', 'x.head.tmp']],
    ['what a killed writer left', (planted) => writeFileSync(planted, 'half'), ['x.head']],
    ['nothing', () => undefined, ['x.head']],
  ])('writes past %s', (_, plant, left) => {
    const folder = temporaryFolder()
    const victim = join(temporaryFolder(), 'victim')
    writeFileSync(victim, 'untouched')
    const path = join(folder, 'x.head')
    plant(`${path}.tmp`, victim)
    for (const text of ['one', 'two']) {
      writeSideFile(path, text)
      expect([readFileSync(path, 'utf8'), lstatSync(path).isFile(), lstatSync(path).mode & 0o777]).toEqual([
        text,
        true,
        0o600,
      ])
    }
    expect(names(folder)).toEqual(left)
    expect([readFileSync(victim, 'utf8'), existsSync(`${victim}.new`)]).toEqual(['untouched', false])
  })

  it('replaces a link that has the name of the file itself', () => {
    const folder = temporaryFolder()
    const victim = join(folder, 'victim')
    writeFileSync(victim, 'untouched')
    symlinkSync(victim, join(folder, 'x.head'))
    writeSideFile(join(folder, 'x.head'), 'text')
    expect([readFileSync(victim, 'utf8'), readFileSync(join(folder, 'x.head'), 'utf8')]).toEqual(['untouched', 'text'])
  })
})

describe('a JSONL ledger', () => {
  it('is written next to planted links of its temporary files', async () => {
    const path = join(temporaryFolder(), 'ledger.jsonl')
    const victim = join(temporaryFolder(), 'victim')
    writeFileSync(victim, 'untouched')
    symlinkSync(victim, `${path}.head.tmp`)
    const ledger = JsonlLedger.open(path)
    await ledger.append(decisionDraft(1))
    await ledger.close()
    expect(readFileSync(victim, 'utf8')).toBe('untouched')
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: 2, tail: 0 })
  })

  it('is not opened where a link has the name of its tree', async () => {
    const path = join(temporaryFolder(), 'ledger.jsonl')
    const victim = join(temporaryFolder(), 'victim')
    writeFileSync(victim, 'untouched')
    symlinkSync(victim, `${path}.tree`)
    expect(await refusalOf(() => JsonlLedger.open(path))).toBe('LEDGER_WRITE_FAILED')
    expect(readFileSync(victim, 'utf8')).toBe('untouched')
  })

  it.each(['link', 'file'])('moves a torn line aside past a %s that has the name for it', async (kind) => {
    const path = join(temporaryFolder(), 'ledger.jsonl')
    const first = JsonlLedger.open(path)
    await first.append(decisionDraft(1))
    await first.close()
    const whole = readFileSync(path)
    writeFileSync(path, Buffer.concat([whole, Buffer.from('{"torn')]))
    const victim = join(temporaryFolder(), 'victim')
    const planted = `${path}.torn-${whole.length}`
    if (kind === 'file') writeFileSync(planted, 'first')
    else symlinkSync(victim, planted)
    const refused = await refusalOf(async () => {
      const ledger = JsonlLedger.open(path)
      await ledger.close()
    })
    expect(existsSync(victim)).toBe(false)
    expect(refused).toBeNull()
    expect(readFileSync(`${planted}-2`, 'utf8')).toBe('{"torn')
  })
})
