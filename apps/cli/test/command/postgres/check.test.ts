// Tests `postgres init --separate-roles`, `postgres check` and `postgres grant` with real logins.
import { randomBytes } from 'node:crypto'
import { PostgresLedger } from '@sudoagent/postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newDatabase, newLogin, urlAs, willMakeRoles } from '../../../../../packages/postgres/test/server/shared.js'
import { SAMPLE } from '../../support/ledger.js'
import { Sandbox } from '../../support/sandbox.js'

const box = new Sandbox()
afterAll(() => box.remove())

const schema = `c_${randomBytes(4).toString('hex')}`
let database: string
beforeAll(async () => {
  await willMakeRoles(schema)
  database = `${await newDatabase({ tables: false })}?schema=${schema}`
})

async function append(login: string): Promise<string> {
  try {
    const ledger = await PostgresLedger.open(`${urlAs(login, database)}&ledger=payments`)
    await ledger.append(SAMPLE[0] as (typeof SAMPLE)[number])
    await ledger.close()
    return 'done'
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}

describe('separate roles', () => {
  it('are not made where they are declined, and `check` says what that leaves open', async () => {
    const declined = box.run(['postgres', 'init', database, '--apply', '--no-separate-roles'])
    expect([declined.code, declined.stderr]).toEqual([0, expect.stringContaining('roles are not separate')])
    const { code, stdout } = box.run(['postgres', 'check', database])
    expect([code, stdout.split('\n')]).toEqual([1, [...Array(3).fill(expect.stringMatching(/^open: /)), '']])
    const grant = box.run(['postgres', 'grant', database, '--ledger', 'payments', '--to', 'postgres'])
    expect([grant.code, grant.stderr]).toEqual([3, expect.stringContaining('--separate-roles --apply')])
  })

  it('bind logins to ledgers', async () => {
    expect(box.run(['postgres', 'init', database, '--apply', '--separate-roles']).code).toBe(0)
    expect(box.run(['postgres', 'check', database])).toMatchObject({ code: 0, stdout: 'no excess rights\n' })
    const [agent, other] = [await newLogin(`IN ROLE ${schema}_writer`), await newLogin(`IN ROLE ${schema}_writer`)]
    expect([await append(agent), await append(other)]).toEqual(['done', 'LEDGER_NOT_READABLE'])
    const grant = ['postgres', 'grant', database, '--ledger']
    expect(box.run([...grant, 'payments', '--to', other])).toMatchObject({
      code: 0,
      stdout: `\`${other}\` can write the ledger \`payments\`\n`,
    })
    expect(await append(other)).toBe('done')
    for (const [ledger, role] of [
      ['nothing', other],
      ['payments', 'nobody_has_this'],
    ] as const)
      expect(box.run([...grant, ledger, '--to', role]).code).toBe(3)
    expect(JSON.parse(box.run(['postgres', 'check', database, '--json']).stdout)).toEqual({ open: [] })
  })

  it('are printed by default, and contradict having no roles', () => {
    expect(box.run(['postgres', 'init', database]).stdout).toContain(`${schema}_approver`)
    expect(box.run(['postgres', 'init', database, '--no-separate-roles']).stdout).not.toContain(`${schema}_approver`)
    expect(box.run(['postgres', 'init', database, '--no-roles', '--separate-roles']).code).toBe(2)
    expect(box.run(['postgres', 'check', 'ledger.sqlite']).code).toBe(2)
  })
})
