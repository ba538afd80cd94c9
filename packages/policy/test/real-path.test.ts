import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest'
import { parsePolicyFile } from '../src/file/parse.js'
import { realPathOnDisk } from '../src/real-path.js'
import { RulePolicy } from '../src/rule/rule-policy.js'

/** Number of folders that were read. */
const opened = vi.hoisted(() => ({ count: 0 }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const opendirSync: typeof fs.opendirSync = (...args) => {
    opened.count += 1
    return fs.opendirSync(...args)
  }
  return { ...fs, opendirSync }
})

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
  // The policy receives the composed form of the path (NFC), but the tool receives the path as the model spelled it.
  symlinkSync('../outside/secret', join(folder, 'cafe\u0301'))
  expect(realPathOnDisk(`${folder}/caf\u00e9`)).toBeNull()
  expect(realPathOnDisk(`${folder}/cafe`)).toBe(`${folder}/cafe`)
})

describe('one evaluation', () => {
  it('reads a folder once, whatever the call brings', async () => {
    // Vitest runs many test files in one process. If a different test file has already loaded the module, the loaded
    // copy uses the real `node:fs`.
    vi.resetModules()
    const { realPathOnDisk } = await import('../src/real-path.js')
    const folder = mkdtempSync(join(top, 'look-'))
    for (let n = 0; n < 200; n += 1) writeFileSync(join(folder, `f${n}`), '')
    mkdirSync(join(folder, 'é'))
    const look = realPathOnDisk.perEvaluation?.() ?? expect.unreachable()
    const before = opened.count
    for (let n = 0; n < 150; n += 1) expect(look(`${folder}/${'é/../'.repeat(80)}f${n}`)).toBe(`${folder}/f${n}`)
    expect(opened.count - before).toBe(1)
    // For further names with more than one Unicode spelling, the folder is not read again.
    for (const name of ['è', 'ü', 'ñ']) expect(look(`${folder}/${name}`)).toBe(`${folder}/${name}`)
    expect(opened.count - before).toBe(1)
    // Outside an evaluation, each call reads the disk.
    realPathOnDisk(`${folder}/é`)
    expect(opened.count - before).toBe(2)
  })

  it('has a bound: beyond it, nothing can be told', () => {
    const folder = mkdtempSync(join(top, 'look-'))
    const look = realPathOnDisk.perEvaluation?.() ?? expect.unreachable()
    const answers = Array.from({ length: 3_000 }, (_, n) => look(`${folder}/n${n}`))
    expect(answers[0]).toBe(`${folder}/n0`)
    expect(answers.at(-1)).toBeNull()
    expect(answers.indexOf(null)).toBeGreaterThan(1_000)
    expect(realPathOnDisk.perEvaluation?.()(`${folder}/n2999`)).toBe(`${folder}/n2999`)
  })

  it('is what a policy is asked in', () => {
    let looks = 0
    const realPath = Object.assign(() => expect.unreachable(), {
      perEvaluation: () => {
        looks += 1
        return (path: string) => path
      },
    })
    const text =
      'sudoagent_policy: 1\nid: p\nrules:\n  - id: a\n    args: { paths.*: { root: /w, glob: "**", resolve_symlinks: true } }\n    effect: allow\n    reason: r\n'
    const policy = new RulePolicy(parsePolicyFile(text, 'p'), { realPath })
    const call = { action: 't', args: [], kwargs: { paths: ['/w/a', '/w/b'] } }
    expect([policy.explain(call).decision, policy.explain(call).decision, looks]).toEqual(['allow', 'allow', 2])
  })
})
