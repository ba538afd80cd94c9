// Tests the contract that both stores of tool definitions share.
import { chmodSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SqliteToolPins } from '../../src/sqlite.js'
import { readDefinition, type ToolDefinition } from '../../src/tool/tool-definition.js'
import { acceptAll, MemoryToolPins, type ToolPins } from '../../src/tool/tool-pins.js'

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pins-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'pins')
}
const define = (name: string, description: string): ToolDefinition => {
  const definition = readDefinition({ name, description, inputSchema: { type: 'object' } })
  if (definition === null) throw new Error('no definition')
  return definition
}

describe.each<[string, () => ToolPins]>([
  ['in memory', () => new MemoryToolPins()],
  ['in SQLite', () => SqliteToolPins.open(temporary())],
])('%s', (_, open) => {
  it('accepts the first definition, and no other until somebody does', () => {
    const pins = open()
    const [one, two, three] = ['one', 'two', 'three'].map((text) => define('t', text)) as [
      ToolDefinition,
      ToolDefinition,
      ToolDefinition,
    ]
    expect(pins.see('s', one)).toBe('accepted')
    expect(pins.see('s', two)).toBe('changed')
    expect(pins.see('s', one)).toBe('accepted')
    expect(pins.see('s', three)).toBe('changed')
    expect(pins.list('s').map(({ state, digest }) => [state, digest])).toEqual([
      ['accepted', one.digest],
      ['changed', three.digest],
    ])
    expect(pins.accept('s').map(({ digest }) => digest)).toEqual([three.digest])
    expect(['one', 'two', 'three'].map((text) => pins.see('s', define('t', text)))).toEqual([
      'changed',
      'changed',
      'accepted',
    ])
    pins.close()
  })

  it('keeps servers and tools apart', () => {
    const pins = open()
    for (const [server, name] of [
      ['a', 't'],
      ['b', 't'],
      ['a', 'u'],
    ] as const) {
      expect(pins.see(server, define(name, 'first'))).toBe('accepted')
      expect(pins.see(server, define(name, 'second'))).toBe('changed')
    }
    expect(pins.accept('a', 't')).toHaveLength(1)
    expect(pins.accept('a', 'nothing')).toEqual([])
    const states = [
      ['a', 't'],
      ['a', 'u'],
      ['b', 't'],
    ].map(([server = '', name = '']) => pins.see(server, define(name, 'second')))
    expect(states).toEqual(['accepted', 'changed', 'changed'])
    expect(pins.list()).toHaveLength(5)
    pins.close()
  })

  it('accepts exactly what was looked at, all of it or none', () => {
    const pins = open()
    for (const tool of ['t', 'u']) for (const text of ['one', 'two']) pins.see('s', define(tool, text))
    const seen = (tool: string, text: string) => ({ server: 's', tool, digest: define(tool, text).digest })
    const states = () => pins.list().map(({ tool, state }) => `${tool} ${state}`)
    const before = states()
    for (const wrong of [
      [seen('t', 'three')],
      [seen('t', 'one')],
      [seen('t', 'two'), seen('u', 'one')],
      [seen('u', 'three'), seen('t', 'two')],
      [seen('v', 'two')],
      [{ ...seen('t', 'two'), server: 'other' }],
    ]) {
      expect(pins.acceptExactly(wrong)).toBe(false)
      expect(states()).toEqual(before)
    }
    expect(pins.acceptExactly([seen('t', 'two'), seen('u', 'two')])).toBe(true)
    expect(states()).toEqual(['t accepted', 'u accepted'])
    expect(pins.see('s', define('u', 'two'))).toBe('accepted')
    expect(pins.acceptExactly([seen('t', 'two')])).toBe(false)
    pins.close()
  })

  it('can be told that the first definition is not accepted either, and that outlives being told otherwise', () => {
    const pins = open()
    expect(pins.see('s', define('t', 'one'), 'changed')).toBe('new')
    expect(pins.see('s', define('t', 'one'))).toBe('new')
    expect(pins.see('s', define('t', 'two'))).toBe('new')
    expect(pins.list().map(({ state, digest }) => [state, digest])).toEqual([['changed', define('t', 'two').digest]])
    expect(pins.acceptExactly(pins.list())).toBe(true)
    expect(pins.see('s', define('t', 'two'), 'changed')).toBe('accepted')
    expect(pins.see('s', define('t', 'one'), 'changed')).toBe('changed')
    pins.close()
  })

  it('can be told to accept what is shown', () => {
    const pins = open()
    pins.see('s', define('t', 'first'))
    expect(acceptAll(pins).see('s', define('t', 'second'))).toBe('accepted')
    expect(pins.see('s', define('t', 'second'))).toBe('accepted')
    pins.close()
  })
})

describe('the file', () => {
  it('is its owner’s, outlives the process, and is shared', () => {
    const path = temporary()
    const [one, two] = [SqliteToolPins.open(path), SqliteToolPins.open(path)]
    expect(statSync(path).mode & 0o777).toBe(0o600)
    one.see('s', define('t', 'first'))
    expect(two.see('s', define('t', 'second'))).toBe('changed')
    two.accept('s')
    expect(one.see('s', define('t', 'second'))).toBe('accepted')
    one.close()
    two.close()
    expect(SqliteToolPins.open(path).see('s', define('t', 'first'))).toBe('changed')
  })

  it.runIf(process.platform !== 'win32').each([0o666, 0o660, 0o602])(
    'that other users can write to (mode %i) is refused unless that is asked for',
    (mode) => {
      const path = temporary()
      SqliteToolPins.open(path).close()
      chmodSync(path, mode)
      expect(() => SqliteToolPins.open(path)).toThrow('other users can write to it')
      SqliteToolPins.open(path, { allowOtherWriters: true }).close()
    },
  )

  it('that is none is left alone', () => {
    const path = temporary()
    writeFileSync(path, 'a text that is no database')
    expect(() => SqliteToolPins.open(path)).toThrow()
  })
})

describe('a definition', () => {
  it('is all that the server says, in whatever order', () => {
    const base = { name: 't', description: 'd', inputSchema: { type: 'object', properties: { a: {}, b: {} } } }
    const digest = (tool: unknown): string | undefined => readDefinition(tool)?.digest
    const turned = { inputSchema: { properties: { b: {}, a: {} }, type: 'object' }, description: 'd', name: 't' }
    expect(digest(turned)).toBe(digest(base))
    const others = [
      { ...base, description: 'd ' },
      { ...base, title: 'T' },
      { ...base, annotations: { readOnlyHint: true } },
      { ...base, outputSchema: {} },
      { ...base, _meta: { a: 1 } },
      { ...base, inputSchema: { type: 'object', properties: { a: { description: 'x' }, b: {} } } },
    ].map(digest)
    expect(new Set([digest(base), ...others]).size).toBe(7)
  })

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a list', []],
    ['without a name', { inputSchema: {} }],
    ['with a name that is too long', { name: 'x'.repeat(191) }],
    ['that is too long', { name: 't', description: 'x'.repeat(256 * 1024) }],
    ['with half a character', { name: 't', description: '\ud800' }],
  ])('is not %s', (_, tool) => {
    expect(readDefinition(tool)).toBeNull()
  })

  it.each([
    [
      'a trigger',
      "CREATE TRIGGER t AFTER INSERT ON sudoagent_mcp_tool BEGIN UPDATE sudoagent_mcp_tool SET state = 'accepted'; END",
    ],
    ['a view', 'CREATE VIEW v AS SELECT 1'],
    ['an index of another', 'CREATE INDEX i ON sudoagent_mcp_tool (digest)'],
    ['a table of another', 'CREATE TABLE notes (text)'],
  ])('with %s is refused, also when it was added while the file is open', (_, sql) => {
    const path = temporary()
    const pins = SqliteToolPins.open(path)
    pins.see('s', define('t', 'first'))
    const db = new Database(path)
    db.exec(sql)
    db.close()
    expect(() => pins.see('s', define('t', 'second'))).toThrow(/^it contains the /)
    expect(() => SqliteToolPins.open(path)).toThrow()
    pins.close()
  })

  it('that was replaced or deleted under an open guard is noticed', () => {
    for (const change of [(path: string) => rmSync(path), (path: string) => copyFileSync(path, `${path}.new`)]) {
      const path = temporary()
      const pins = SqliteToolPins.open(path)
      pins.see('s', define('t', 'first'))
      change(path)
      if (existsSync(`${path}.new`)) renameSync(`${path}.new`, path)
      expect(() => pins.see('s', define('t', 'first'))).toThrow()
      pins.close()
    }
  })
})
