import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { realPathOnDisk } from '../src/real-path.js'

let top = ''
beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'sudoagent-real-path-')))
  mkdirSync(join(top, 'w/folder/deep'), { recursive: true })
  mkdirSync(join(top, 'outside/deep'), { recursive: true })
  writeFileSync(join(top, 'w/file'), 'x')
  writeFileSync(join(top, 'outside/secret'), 'x')
  for (const [name, target] of [
    ['inside', 'folder'],
    ['out', '../outside'],
    ['out-absolute', join(top, 'outside')],
    ['out-deep', '../outside/deep'],
    ['file-out', '../outside/secret'],
    ['dangling', '../outside/new'],
    ['loop', 'loop'],
  ] as const)
    symlinkSync(target, join(top, 'w', name))
})
afterAll(() => rmSync(top, { recursive: true, force: true }))

describe('where a path leads', () => {
  test.each([
    ['a file', 'w/file', 'w/file'],
    ['a folder', 'w/folder/', 'w/folder'],
    ['what does not exist', 'w/new', 'w/new'],
    ['what does not exist, deep', 'w/new/newer/newest', 'w/new/newer/newest'],
    ['a link that stays inside', 'w/inside/deep', 'w/folder/deep'],
    ['a link that leads outside', 'w/out/secret', 'outside/secret'],
    ['an absolute link', 'w/out-absolute/secret', 'outside/secret'],
    ['a link that is a file', 'w/file-out', 'outside/secret'],
    ['what does not exist, behind a link', 'w/out/new/file', 'outside/new/file'],
    ['.. behind a link: where the link led', 'w/out-deep/../secret', 'outside/secret'],
    ['.. behind a folder', 'w/folder/../file', 'w/file'],
    ['a dangling link: writing to it would make its target', 'w/dangling', null],
    ['below a dangling link', 'w/dangling/x', null],
    ['a loop', 'w/loop/x', null],
    ['below a file', 'w/file/x', null],
    ['.. behind what does not exist', 'w/new/../file', null],
  ])('%s', (_, path, leads) => {
    expect(realPathOnDisk(`${top}/${path}`)).toBe(leads === null ? null : `${top}/${leads}`)
  })

  it('is nowhere for a relative path, and beyond the limits', () => {
    expect(realPathOnDisk('a')).toBeNull()
    expect(realPathOnDisk('/a'.repeat(300))).toBeNull()
    expect(realPathOnDisk(`/${'a'.repeat(5_000)}`)).toBeNull()
  })
})

it('cannot be told where a folder has the name in another Unicode spelling', () => {
  const folder = join(top, 'names')
  mkdirSync(folder)
  expect(realPathOnDisk(`${folder}/caf\u00e9`)).toBe(`${folder}/caf\u00e9`)
  // The engine shows the policy the composed form; the tool is given what the model wrote.
  symlinkSync('../outside/secret', join(folder, 'cafe\u0301'))
  expect(realPathOnDisk(`${folder}/caf\u00e9`)).toBeNull()
  expect(realPathOnDisk(`${folder}/cafe`)).toBe(`${folder}/cafe`)
})
