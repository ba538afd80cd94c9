// Checks that the packages can be published. publint checks package.json, attw checks what TypeScript resolves, and the
// compiler checks every declaration (`skipLibCheck: false`), all on the packed tarballs. attw and the frameworks that
// the adapters need as peer dependencies are installed in `compat/`.
import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const libraries = ['crypto', 'ledger', 'witness', 'core', 'adapters', 'policy', 'mcp', 'postgres'].map(
  (name) => `packages/${name}`,
)
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pack-'))
// The tables of these tools are long, so they are printed only on failure.
const run = (command, ...args) => {
  try {
    execFileSync(join(root, command === 'attw' ? 'compat' : '', 'node_modules/.bin', command), args, { cwd: root })
  } catch (error) {
    process.stderr.write(error.stdout ?? '')
    throw error
  }
}

/** Links `place` to an installed package. */
const link = (installed, place) => {
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(realpathSync(installed), place)
}

/**
 * Compiles a program that imports every entry point. Only the packages that a user would have are installed, so a
 * declaration that needs types from a development dependency fails.
 *
 * @throws Error with the errors in our declarations; errors in third-party declarations are ignored
 */
function checkDeclarations() {
  const consumer = join(folder, 'consumer')
  const modules = join(consumer, 'node_modules')
  const entries = []
  const needed = new Map([['@types/node', join(root, 'node_modules/@types/node')]])
  for (const name of libraries) {
    const {
      exports,
      dependencies = {},
      peerDependencies = {},
      ...manifest
    } = JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8'))
    const place = join(modules, manifest.name)
    mkdirSync(place, { recursive: true })
    const tarball = `${manifest.name.slice(1).replace('/', '-')}-${manifest.version}.tgz`
    execFileSync('tar', ['-xzf', join(folder, tarball), '-C', place, '--strip-components=1'])
    for (const entry of Object.keys(exports)) if (!entry.endsWith('.json')) entries.push(manifest.name + entry.slice(1))
    for (const dependency of Object.keys(dependencies))
      if (!dependency.startsWith('@sudoagent/')) needed.set(dependency, join(root, name, 'node_modules', dependency))
    for (const peer of Object.keys(peerDependencies)) needed.set(peer, join(root, 'compat/node_modules', peer))
  }
  for (const [dependency, installed] of needed) link(installed, join(modules, dependency))
  const lines = entries.map((entry, n) => `export * as entry${n} from '${entry}'\n`)
  writeFileSync(join(consumer, 'index.mts'), lines.join(''))
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom', 'esnext.disposable'],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
  }
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['index.mts'] }))
  const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', '.', '--pretty', 'false'], {
    cwd: consumer,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status === null) throw new Error('the compiler did not run')
  const ours = stdout.split('\n').filter((line) => /^(?:node_modules\/@sudoagent\/|index\.mts)/.test(line))
  if (ours.length > 0) throw new Error(`declarations that do not compile with skipLibCheck false:\n${ours.join('\n')}`)
  console.log(`${entries.length} entry points: declarations compile with skipLibCheck false`)
}

try {
  for (const name of [...libraries, 'apps/cli']) {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: join(root, name),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    run('publint', name, '--strict', '--pack', 'npm')
  }
  checkDeclarations()
  for (const tarball of readdirSync(folder).filter((name) => name.endsWith('.tgz'))) {
    // The packages are ESM only by design, so old resolvers find nothing for require(). The command line package is
    // not checked, because programs do not import it.
    if (!/^sudoagent-[0-9]/.test(tarball)) run('attw', join(folder, tarball), '--profile', 'esm-only')
  }
  console.log(`${libraries.length + 1} packages can be published`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
