// Tests the prose rules: each rule finds its habit in documents, comments and messages, and accepts the plain form.
// `pnpm check:prose` runs the rules on the repository.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { lintProse } from '../tools/prose/lint.mjs'
import { RULES } from '../tools/prose/rules.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const idsIn = async (path: string, text: string): Promise<string[]> =>
  (await lintProse(path, text)).map(({ line, message }) => `${line} ${message.slice(0, message.indexOf(':'))}`)
const tool = (name: string, ...args: string[]) =>
  spawnSync(process.execPath, [`tools/${name}`, ...args], { cwd: root, encoding: 'utf8' })

describe.each(RULES)('$id', ({ id, finds, passes }) => {
  it('finds the habit in a document, a comment and a message', async () => {
    expect(await idsIn('docs/page.md', `# Page\n\n${finds}\n`)).toContain(`3 ${id}`)
    expect(await idsIn('packages/core/src/a.ts', `/**\n * ${finds}\n */\nexport const a = 1\n`)).toContain(`2 ${id}`)
    expect(await idsIn('packages/core/src/a.ts', `// ${finds.replace(/ (?=\S+$)/, '\n// ')}\n`)).not.toEqual([])
    const message = finds.replace(/[.]$/, '').replaceAll("'", '’')
    expect(await idsIn('packages/core/src/a.ts', `throw new Error(\`${message}\`)\n`)).toContain(`1 ${id}`)
  })

  it('accepts the plain form', async () => {
    expect(await idsIn('docs/page.md', `${passes}\n`)).toEqual([])
    expect(await idsIn('packages/core/src/a.ts', `// ${passes}\n`)).toEqual([])
  })
})

describe('the checker', () => {
  it('finds comments that are too wide', async () => {
    expect(await idsIn('tools/a.mjs', `// ${'word '.repeat(24)}\n`)).toEqual(['1 comment-width'])
    expect(await idsIn('tools/a.mjs', `// ${'word '.repeat(20)}\n`)).toEqual([])
  })

  it('leaves code alone', async () => {
    expect(await idsIn('docs/page.md', 'The option `nobody` is valid.\n\n```sh\nnobody\n```\n')).toEqual([])
    expect(await idsIn('packages/core/src/a.ts', "// The value `nobody` is valid.\nconst nobody = 'nobody'\n")).toEqual(
      [],
    )
    expect(await idsIn('packages/core/test/a.ts', "const text = 'nobody is asked here'\n")).toEqual([])
  })

  it('accepts an exception that names its rule and a reason', async () => {
    const exception = '<!-- prose-allow nobody: the user of that name on Linux -->'
    expect(await idsIn('docs/page.md', `${exception}\n\nThe process runs as nobody.\n`)).toEqual([])
    expect(await idsIn('docs/page.md', `${exception}\n\nThe process is told.\n`)).toEqual(['3 is-told'])
    expect(await idsIn('docs/page.md', '<!-- prose-allow nobody: -->\n\nIt runs as nobody.\n')).toEqual(['3 nobody'])
  })
})

describe('sample-prose', () => {
  it('prints twenty sentences of each kind, and the same ones for the same seed', () => {
    const { stdout, status } = tool('sample-prose.mjs', '--seed', '5')
    expect(status).toBe(0)
    for (const kind of ['docs', 'messages', 'comments']) {
      const [, section = ''] = new RegExp(`^${kind}: 20 of .*\\n((?:\\S+:\\d+ {2}.+\\n){20})`, 'm').exec(stdout) ?? []
      expect(section, kind).not.toBe('')
    }
    expect(tool('sample-prose.mjs', '--seed', '5').stdout).toBe(stdout)
    expect(tool('sample-prose.mjs', '--seed', '6').stdout).not.toBe(stdout)
  })

  it('explains itself, and refuses unknown options', () => {
    expect(tool('sample-prose.mjs', '--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--seed') })
    expect(tool('sample-prose.mjs', '--sed', '1')).toMatchObject({ status: 2, stdout: '' })
    expect(tool('sample-prose.mjs', '--seed', 'one')).toMatchObject({ status: 2, stdout: '' })
  })
})
