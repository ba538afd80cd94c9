// Tests that connections to a different host are encrypted and that the server's certificate is verified. Runs a real
// server with a certificate from a test CA. The names of the other hosts resolve to loopback.

import dns from 'node:dns'
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { verify } from '@sudoagent/ledger'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { decisionDraft } from '../../ledger/test/fixtures/draft.js'
import { PostgresApprovalStore } from '../src/approval/store.js'
import { PostgresBudget } from '../src/budget/budget.js'
import { PostgresLedger } from '../src/ledger/ledger.js'
import { openPostgresLedger } from '../src/ledger/reader.js'
import { schemaSql } from '../src/schema/schema.js'
import { makeAuthority } from './server/certificate.js'
import { asSuperuser, type Cluster, createCluster, stopCluster, urlOf } from './server/cluster.js'

const SECRET = 'hunter2-and-more'
const HOST = 'db.example.com'
const authority = makeAuthority('our authority')
const stranger = makeAuthority('somebody else')

let cluster: Cluster
let files: string

/** Returns the URL of the ledger at a host, over TCP, for the role with a password. */
const at = (host: string, query = '', port = cluster.port): string =>
  `postgres://tester@${host}:${port}/postgres?ledger=payments${query}`

const trusting = (name: 'authority' | 'stranger'): string =>
  `&sslrootcert=${encodeURIComponent(join(files, `${name}.pem`))}`

async function serve(settings: readonly string[]): Promise<void> {
  for (const setting of settings) await asSuperuser(urlOf(cluster), `ALTER SYSTEM SET ${setting}`)
  const [before] = await asSuperuser<{ at: string }>(urlOf(cluster), 'SELECT pg_conf_load_time()::text AS at')
  await asSuperuser(urlOf(cluster), 'SELECT pg_reload_conf()')
  // A session has the new settings once its `pg_conf_load_time` has changed.
  await vi.waitUntil(async () => {
    const [now] = await asSuperuser<{ at: string }>(urlOf(cluster), 'SELECT pg_conf_load_time()::text AS at')
    return now?.at !== before?.at
  })
}

/** Makes the server present a different certificate. */
async function show(name: string, certificate: { readonly pem: string; readonly keyPem: string }): Promise<void> {
  const { uid, gid } = statSync(cluster.data)
  for (const [ending, text] of [
    ['crt', certificate.pem],
    ['key', certificate.keyPem],
  ] as const) {
    const path = join(cluster.data, `${name}.${ending}`)
    writeFileSync(path, text, { mode: 0o600 })
    chownSync(path, uid, gid)
  }
  await serve([`ssl_cert_file TO '${name}.crt'`, `ssl_key_file TO '${name}.key'`, 'ssl TO on'])
}

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pg-tls-'))
  files = mkdtempSync(join(tmpdir(), 'sudoagent-tls-'))
  writeFileSync(join(files, 'authority.pem'), authority.pem)
  writeFileSync(join(files, 'stranger.pem'), stranger.pem)
  cluster = await createCluster(folder)
  const hba = ['local all all trust', 'host all tester 127.0.0.1/32 scram-sha-256']
  writeFileSync(join(cluster.data, 'pg_hba.conf'), `${hba.join('\n')}\n`)
  await asSuperuser(urlOf(cluster), schemaSql({ schema: 'sudoagent', roles: true }))
  await asSuperuser(urlOf(cluster), `CREATE ROLE tester LOGIN PASSWORD '${SECRET}' IN ROLE sudoagent_writer`)
  await show('server', authority.issue([HOST, '127.0.0.1']))
  // All names under `example.com` resolve to loopback.
  const lookUp = dns.lookup
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, options: dns.LookupOptions, found: () => void) =>
    lookUp(name.endsWith('.example.com') ? '127.0.0.1' : name, options, found)) as typeof dns.lookup)
  vi.stubEnv('PGPASSWORD', SECRET)
})

afterAll(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await stopCluster(cluster, 'SIGQUIT')
  for (const folder of [cluster.folder, files]) rmSync(folder, { recursive: true, force: true })
})

/** Returns whether a ledger's writer and reader have encrypted sessions, according to the server. */
async function isEncrypted(url: string): Promise<boolean> {
  const writer = await PostgresLedger.open(url)
  const sessions = await asSuperuser<{ ssl: boolean }>(
    urlOf(cluster),
    "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'sudoagent'",
  )
  await writer.append(decisionDraft(Math.floor(Math.random() * 1e9)))
  await writer.close()
  const reader = await openPostgresLedger(url)
  expect((await verify(reader)).ok).toBe(true)
  await reader.close()
  expect(sessions).toHaveLength(1)
  return sessions[0]?.ssl === true
}

/**
 * Returns the message and hint of the error that a writer and a reader report. The two errors have different codes, but
 * must have the same hint and the same message. The message must be one line and must not contain the password.
 */
async function refusal(url: string): Promise<string> {
  const errors = []
  for (const open of [PostgresLedger.open, openPostgresLedger])
    errors.push(
      await open(url).then(
        () => expect.unreachable('it was let in'),
        (error) => error,
      ),
    )
  expect(errors.map(({ code }) => code)).toEqual(['LEDGER_WRITE_FAILED', 'LEDGER_NOT_READABLE'])
  for (const error of errors) {
    expect(error.message).not.toContain('\n')
    expect(error.hint).toBeTypeOf('string')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET)
  }
  const [writers, readers] = errors.map(({ message, hint }) => `${message} / ${hint}`)
  expect(writers).toBe(readers)
  return writers ?? ''
}

describe('a host that is not this one', () => {
  it('is spoken to over TLS, and has to show a certificate for its name', async () => {
    expect(await isEncrypted(at(HOST, trusting('authority')))).toBe(true)
  })

  it('is refused when nobody we know vouches for it', async () => {
    expect(await refusal(at(HOST))).toMatch(/its certificate was rejected: .* \/ .*sslrootcert/)
    expect(await refusal(at(HOST, trusting('stranger')))).toMatch(/its certificate was rejected: .* \/ .*sslrootcert/)
  })

  it('is refused under another name than the certificate has', async () => {
    expect(await refusal(at('other.example.com', trusting('authority')))).toMatch(
      /its certificate was rejected: .*other\.example\.com.* \/ use the host name of its certificate/,
    )
  })

  it('is refused when its certificate is over', async () => {
    const hour = 3_600_000
    const over = { from: new Date(Date.now() - 48 * hour), to: new Date(Date.now() - hour) }
    await show('over', authority.issue([HOST], over))
    onTestFinished(() => show('server', authority.issue([HOST, '127.0.0.1'])))
    expect(await refusal(at(HOST, trusting('authority')))).toMatch(
      /its certificate was rejected: .*expired \/ renew the certificate/,
    )
  })

  it('is the same to approvals and budgets', async () => {
    const failed = (error: Error): string => inspect(error, { depth: 9 })
    const said = [
      await PostgresApprovalStore.open(at(HOST)).then(() => 'let in', failed),
      await PostgresBudget.open(at(HOST), { windowMs: 1_000, perTool: { x: 1 } }).then(() => 'let in', failed),
    ]
    for (const text of said) {
      expect(text).toContain('its certificate was rejected')
      expect(text).not.toContain(SECRET)
    }
  })
})

describe('sslmode', () => {
  it('verify-full checks this machine, too: by address, or by the name that was given', async () => {
    expect(await isEncrypted(at('127.0.0.1', `${trusting('authority')}&sslmode=verify-full`))).toBe(true)
    expect(await refusal(at('localhost', `${trusting('authority')}&sslmode=verify-full`))).toContain('localhost')
    expect(await refusal(at('127.0.0.1', '&sslmode=verify-full'))).toContain('its certificate was rejected')
  })

  it('that is not given is verify-full where an authority is named', async () => {
    expect(await isEncrypted(at('127.0.0.1', trusting('authority')))).toBe(true)
    expect(await refusal(at('127.0.0.1', trusting('stranger')))).toContain('its certificate was rejected')
  })

  it('require encrypts, whoever answers', async () => {
    expect(await isEncrypted(at('other.example.com', '&sslmode=require'))).toBe(true)
    expect(await isEncrypted(at('127.0.0.1', '&sslmode=require'))).toBe(true)
  })

  it('disable does not, and neither does loopback unless told', async () => {
    expect(await isEncrypted(at(HOST, '&sslmode=disable'))).toBe(false)
    expect(await isEncrypted(at('127.0.0.1'))).toBe(false)
    expect(await isEncrypted(at('localhost'))).toBe(false)
  })
})

describe('sslrootcert', () => {
  it.each([
    ['that is not there', 'nobody.pem', /`sslrootcert` `.*nobody\.pem` cannot be read: ENOENT/],
    ['that does not contain a certificate', 'empty.pem', /`sslrootcert` `.*empty\.pem` does not contain a certificate/],
  ])('%s is said to be so', async (_, name, says) => {
    writeFileSync(join(files, 'empty.pem'), 'certainly\n')
    const url = at(HOST, `&sslrootcert=${encodeURIComponent(join(files, name))}`)
    for (const open of [PostgresLedger.open, openPostgresLedger]) {
      const error = await open(url).then(
        () => expect.unreachable('it was let in'),
        (refused) => refused,
      )
      expect([error.code, error.message]).toEqual(['LEDGER_NOT_READABLE', expect.stringMatching(says)])
    }
  })
})

describe('a server without TLS', () => {
  it('is refused where TLS is asked for', async () => {
    await serve(['ssl TO off'])
    onTestFinished(() => serve(['ssl TO on']))
    for (const url of [at(HOST), at(HOST, '&sslmode=require'), at('127.0.0.1', '&sslmode=verify-full')])
      expect(await refusal(url)).toMatch(/does not support TLS \/ .*sslmode=disable/)
    expect(await isEncrypted(at(HOST, '&sslmode=disable'))).toBe(false)
  })

  it('hears nothing but the question', async () => {
    const heard: Buffer[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        heard.push(chunk)
        socket.write('N')
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await vi.waitUntil(() => server.listening)
    const { port } = server.address() as { port: number }
    expect(await refusal(at(HOST, '', port))).toContain('does not support TLS')
    const question = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
    expect(heard).toEqual([question, question])
  })
})

it('a password that is wrong is in no message', async () => {
  vi.stubEnv('PGPASSWORD', `${SECRET}-not`)
  onTestFinished(() => void vi.stubEnv('PGPASSWORD', SECRET))
  for (const url of [at(HOST, trusting('authority')), at(HOST, `${trusting('authority')}&password=${SECRET}-wrong`)]) {
    const error = await PostgresLedger.open(url).then(
      () => expect.unreachable('it was let in'),
      (refused) => refused,
    )
    expect(error.code).toBe('LEDGER_NOT_READABLE')
    expect(error.message).toContain('the password is wrong or missing')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET)
  }
})
