// Creates the folder in which a reader of the documents works: the root of a clone in which the demo has run. The
// packages are installed, `sudoagent` is on the PATH, and `demo-output/` contains the demo's files. This module creates
// these files with the library, which is much faster than running the demo.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AirlinePolicy, DeskApprover } from '../../examples/src/airline.js'
import { MemoryBudget, SudoEngine } from '../../packages/core/dist/index.js'
import { createSigner, generatePrivateKey } from '../../packages/crypto/dist/index.js'
import { exportNdjson } from '../../packages/ledger/dist/export.js'
import { makeReceipt, openLedgerReader, select } from '../../packages/ledger/dist/index.js'
import { SqliteLedger } from '../../packages/ledger/dist/store/sqlite/ledger.js'

/**
 * The folder for all pages. Each page gets its own subfolder, so that no page depends on files that a different page
 * creates.
 */
export interface ReaderFolder {
  /** Creates the folder of one page. */
  page(name: string): string
  readonly env: NodeJS.ProcessEnv
  remove(): void
}

// Node 20 cannot run TypeScript. With this hook, Node runs a page's programs as `tsx` or Node 22 would.
const HOOK = `import { readFile } from 'node:fs/promises'
import ts from 'TYPESCRIPT'
const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const text = await readFile(new URL(url), 'utf8')
  return { format: 'module', source: ts.transpileModule(text, { compilerOptions }).outputText, shortCircuit: true }
}
`
const NODE = `#!/bin/sh
case "$1" in *.ts) exec '${process.execPath}' --import 'REGISTER' "$@" ;; esac
exec '${process.execPath}' "$@"
`

/** Puts a `node` that runs `.ts` files into `folder`. */
function putNode(root: string, folder: string): void {
  const urlOf = (path: string): string => pathToFileURL(path).href
  mkdirSync(folder)
  const typescript = urlOf(join(root, 'node_modules/typescript/lib/typescript.js'))
  writeFileSync(join(folder, 'hook.mjs'), HOOK.replace('TYPESCRIPT', typescript))
  const hook = urlOf(join(folder, 'hook.mjs'))
  writeFileSync(join(folder, 'register.mjs'), `import { register } from 'node:module'\nregister('${hook}')\n`)
  const register = urlOf(join(folder, 'register.mjs'))
  writeFileSync(join(folder, 'node'), NODE.replace('REGISTER', register), { mode: 0o755 })
}

/** @param packages - the `node_modules` with the packages that the reader has installed */
export async function makeReaderFolder(
  root: string,
  packages: string = join(root, 'examples', 'node_modules'),
): Promise<ReaderFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-docs-'))
  const installed = join(folder, 'node_modules')
  mkdirSync(installed)
  for (const name of ['.bin', '@types', 'sudoagent'])
    symlinkSync(join(root, 'node_modules', name), join(installed, name))
  for (const name of readdirSync(packages))
    if (!name.startsWith('.') && !existsSync(join(installed, name)))
      symlinkSync(join(packages, name), join(installed, name))
  const demo = join(folder, 'demo-output')
  mkdirSync(demo)
  await makeDemoOutput(root, demo)

  putNode(root, join(folder, 'bin'))
  return {
    env: {
      PATH: [join(folder, 'bin'), join(installed, '.bin'), process.env.PATH].join(':'),
      HOME: folder,
      NODE_NO_WARNINGS: '1',
      NO_COLOR: '1',
      npm_config_update_notifier: 'false',
    },
    page(name) {
      const page = join(folder, name.replaceAll('/', '-').replace(/\.md$/, ''))
      mkdirSync(page)
      cpSync(demo, join(page, 'demo-output'), { recursive: true })
      symlinkSync(installed, join(page, 'node_modules'))
      writeFileSync(join(page, 'package.json'), '{ "type": "module", "private": true }\n')
      return page
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Creates the files that `examples/src/demo.ts` writes. */
async function makeDemoOutput(root: string, demo: string): Promise<void> {
  const key = generatePrivateKey()
  const path = join(demo, 'ledger.sqlite')
  writeFileSync(join(demo, 'public-key.pem'), key.publicKey.pem)
  writeFileSync(join(demo, 'private-key.pem'), key.pem, { mode: 0o600 })
  const ledger = SqliteLedger.open(path, { signer: createSigner(key) })
  const engine = new SudoEngine({
    policy: new AirlinePolicy(),
    agentId: 'airline-agent',
    ledger,
    approver: new DeskApprover(),
    budget: new MemoryBudget({ windowMs: 3_600_000, perTool: { book_reservation: 2 }, perToolDefault: null }),
  })
  for (const line of readFileSync(join(root, 'examples/data/airline-calls.jsonl'), 'utf8').trimEnd().split('\n')) {
    const call = JSON.parse(line) as { readonly tool: string; readonly arguments: object }
    await engine.execute(async (_input: object) => 'done', [call.arguments], { action: call.tool }).catch(() => {})
  }
  await ledger.close()

  const reader = await openLedgerReader(path)
  let lines = ''
  for await (const part of exportNdjson(select(reader))) lines += part
  const denied = select(reader, { event: 'decision', reasonCode: 'POLICY_DENY_HIGH_RISK', limit: 1 })
  for await (const { entry } of denied) {
    const { text } = await makeReceipt(reader, { requestId: entry.request_id ?? '' })
    writeFileSync(join(demo, 'receipt.json'), text)
  }
  const { head } = await reader.evidence()
  await reader.close()
  writeFileSync(join(demo, 'ledger.jsonl'), lines)
  if (head === null || head === 'unreadable') throw new Error('the demo ledger has no head')
  writeFileSync(join(demo, 'ledger.jsonl.head'), head.text)

  const bytes = readFileSync(path)
  const at = bytes.indexOf('"amount":5000')
  if (at === -1) throw new Error('the certificate to forge is not in the ledger')
  bytes.write('1', at + '"amount":'.length)
  writeFileSync(join(demo, 'tampered.sqlite'), bytes)
}
