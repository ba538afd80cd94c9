// Measures the floor: `pg` writes the same rows without a chain, a tree, a lock or signatures.

import { createRequire } from 'node:module'
import { createConnection } from 'node:net'

const pg = createRequire(new URL('../packages/postgres/package.json', import.meta.url))('pg')

export async function bareClient(url) {
  const client = new pg.Client({ connectionString: url.replace(/\?.*/, '') })
  await client.connect()
  return client
}

export const MAKE_BARE = `CREATE TABLE IF NOT EXISTS bare (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entry_json text NOT NULL, entry_hash text NOT NULL, prev_entry_hash text)`

const HASH = '5'.repeat(64)

/** One statement with several rows, which is one transaction. */
export async function insertBare(client, lines) {
  const rows = lines.map((_, n) => `($${3 * n + 1}, $${3 * n + 2}, $${3 * n + 3})`).join(', ')
  await client.query({
    name: `bare_${lines.length}`,
    text: `INSERT INTO bare (entry_json, entry_hash, prev_entry_hash) VALUES ${rows}`,
    values: lines.flatMap((line) => [line, HASH, HASH]),
  })
}

/** Reads a whole table with `COPY … TO STDOUT` and discards the rows. @returns milliseconds and bytes */
export function copyOut(url, query) {
  const [, user, host, port, database] = /\/\/([^@]*)@([^:]*):(\d+)\/([^?]*)/.exec(url)
  const socket = createConnection(`${decodeURIComponent(host)}/.s.PGSQL.${port}`)
  const startup = Buffer.from(`\0\0\0\0\0\x03\0\0user\0${user}\0database\0${database}\0\0`, 'latin1')
  startup.writeUInt32BE(startup.length, 0)
  const text = Buffer.from(`Q\0\0\0\0COPY (${query}) TO STDOUT\0`)
  text.writeUInt32BE(text.length - 1, 1)
  return new Promise((resolve, reject) => {
    let bytes = 0
    let start = 0
    socket.on('error', reject)
    socket.on('connect', () => socket.write(startup))
    socket.on('data', (chunk) => {
      bytes += chunk.length
      // Every server response ends with ReadyForQuery.
      if (chunk.subarray(-6).toString('latin1') !== 'Z\0\0\0\x05I') return
      if (start === 0) {
        start = performance.now()
        bytes = 0
        socket.write(text)
        return
      }
      resolve({ ms: performance.now() - start, bytes })
      socket.destroy()
    })
  })
}
