// Tests the maximum size of a file that a process may write (RLIMIT_FSIZE), which a test can set without privileges.
// At the limit, the writer refuses appends and leaves no partial data. A process without the limit continues.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { KINDS } from '../../fixtures/attack.js'
import { verifyFile } from '../../fixtures/ledger-file.js'
import { canRun, notice, runScript } from '../../fixtures/process/child.js'
import { temporaryFolder } from '../../fixtures/temporary.js'

/** The limit in units of 1,024 bytes, which is enough for some of the appends. */
const BLOCKS = 112
const APPENDS = 200

const hasBash = canRun('bash', '-c', `ulimit -f ${BLOCKS}`)
if (!hasBash) notice('a file size limit (bash is missing or may not set it)')

describe.skipIf(!hasBash).each(KINDS)('%s', (kind) => {
  it('a file that may not grow: appends are refused, and what was acknowledged is there', async () => {
    const path = join(temporaryFolder(), `ledger.${kind}`)
    const wrapper = ['bash', '-c', `ulimit -f ${BLOCKS}; exec "$@"`, 'bash']
    const answers = await runScript('append.mjs', [kind, path, 'a', `${APPENDS}`], { wrapper })
    const acknowledged = answers.filter((answer) => typeof answer === 'number')
    expect(acknowledged.length).toBeGreaterThan(2)
    expect(acknowledged.length).toBeLessThan(APPENDS)
    expect(new Set(answers.slice(acknowledged.length))).toEqual(new Set(['LEDGER_WRITE_FAILED']))
    const { ok, entries } = await verifyFile(path)
    expect([ok, entries]).toEqual([true, 1 + acknowledged.length])
    expect(await runScript('append.mjs', [kind, path, 'b', '1'])).toEqual([entries + 1])
    expect(await verifyFile(path)).toMatchObject({ ok: true, entries: entries + 1, tail: 0 })
  })
})
