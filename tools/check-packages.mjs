// Are the packages fit to be published? publint looks at package.json, attw at what TypeScript users will resolve; both at the real tarball.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const libraries = ['crypto', 'ledger', 'witness', 'core', 'adapters', 'policy', 'mcp', 'postgres'].map(
  (name) => `packages/${name}`,
)
const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pack-'))
// Their tables are long, and only of interest where something is wrong.
const run = (command, ...args) => {
  try {
    execFileSync(join(root, 'node_modules/.bin', command), args, { cwd: root })
  } catch (error) {
    process.stderr.write(error.stdout ?? '')
    throw error
  }
}

try {
  for (const name of [...libraries, 'apps/cli']) {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: join(root, name),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    run('publint', name, '--strict', '--pack', 'npm')
  }
  for (const tarball of readdirSync(folder)) {
    // ESM only, by design: there is nothing for require() of old resolvers to find. Nobody imports the command line.
    if (!/^sudoagent-[0-9]/.test(tarball)) run('attw', join(folder, tarball), '--profile', 'esm-only')
  }
  console.log(`${libraries.length + 1} packages: fit to be published`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
