// A PostgreSQL server for benchmarks: the one of the tests, whose helper is TypeScript, translated where it finds what it imports.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'

const helpers = join(import.meta.dirname, '../packages/postgres/test/server')
const translated = join(import.meta.dirname, '../packages/postgres/node_modules/.bench')

/** Starts a server of its own, with the settings of production that matter here. `stop` takes it away. */
export async function startServer() {
  mkdirSync(translated, { recursive: true })
  for (const name of ['cluster', 'binaries']) {
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    const { outputText } = ts.transpileModule(readFileSync(join(helpers, `${name}.ts`), 'utf8'), { compilerOptions })
    writeFileSync(join(translated, `${name}.mjs`), outputText.replace("'./binaries.js'", "'./binaries.mjs'"))
  }
  const { createCluster, stopCluster, urlOf } = await import(join(translated, 'cluster.mjs'))
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-bench-pg-'))
  const cluster = await createCluster(folder, ['max_wal_size = 4GB', 'shared_buffers = 256MB'])
  return {
    url: urlOf(cluster),
    stop: async () => {
      await stopCluster(cluster, 'SIGQUIT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
