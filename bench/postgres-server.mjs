// Starts a PostgreSQL server for the benchmarks and the soak test. Reuses the tests' helpers, which are TypeScript
// and are compiled next to their imports.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'

const helpers = join(import.meta.dirname, '../packages/postgres/test/server')
const translated = join(import.meta.dirname, '../packages/postgres/node_modules/.bench')

/** The exports of the tests' `cluster.ts` and `proxy.ts`. */
export async function serverHelpers() {
  mkdirSync(translated, { recursive: true })
  for (const name of ['binaries', 'cluster', 'proxy']) {
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
    const { outputText } = ts.transpileModule(readFileSync(join(helpers, `${name}.ts`), 'utf8'), { compilerOptions })
    writeFileSync(join(translated, `${name}.mjs`), outputText.replace("'./binaries.js'", "'./binaries.mjs'"))
  }
  return { ...(await import(join(translated, 'cluster.mjs'))), ...(await import(join(translated, 'proxy.mjs'))) }
}

/** Starts a server in a new folder. `restart` starts the server again after a kill; `stop` removes the server. */
export async function startServer(settings = ['max_wal_size = 4GB', 'shared_buffers = 256MB']) {
  const { createCluster, startCluster, stopCluster, crashCluster, urlOf } = await serverHelpers()
  const folder = mkdtempSync(join(tmpdir(), 'sudoagent-pg-'))
  let cluster = await createCluster(folder, settings)
  return {
    url: urlOf(cluster),
    folder,
    /** Kills the server, as a power failure would. */
    crash: () => crashCluster(cluster),
    /** Stops without closing connections properly and without writing memory to disk. */
    quit: () => stopCluster(cluster, 'SIGQUIT'),
    restart: async () => {
      cluster = await startCluster(cluster.folder, cluster.port)
    },
    stop: async () => {
      await stopCluster(cluster, 'SIGQUIT')
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}
