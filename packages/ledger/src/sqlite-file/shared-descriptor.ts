// Shares descriptors of database files that SQLite may have open in this process. When a process closes any
// descriptor of a file, POSIX drops all of the process's locks on the file (https://sqlite.org/howtocorrupt.html,
// section 2.2). A descriptor must therefore stay open while a connection of this process may have a lock, that is,
// while the file has other users or a `-wal`.
import { closeSync, existsSync, fstatSync, openSync } from 'node:fs'

interface Shared {
  readonly fd: number
  readonly path: string
  users: number
}

const shared = new Map<string, Shared>()

/** A descriptor for reading. Concurrent users of a file may share a descriptor. */
export interface SharedDescriptor {
  readonly fd: number
  release(): void
}

/** @throws a file system error */
export function openShared(path: string): SharedDescriptor {
  closeUnused()
  const fd = openSync(path, 'r')
  const { dev, ino } = fstatSync(fd, { bigint: true })
  const key = `${dev}:${ino}`
  const found = shared.get(key)
  const one = found ?? { fd, path, users: 0 }
  // The file is already open. The new descriptor must not be closed either, so it is stored.
  if (found !== undefined) shared.set(`${key}:${fd}`, { fd, path, users: 0 })
  else shared.set(key, one)
  one.users += 1
  let isReleased = false
  return {
    fd: one.fd,
    release: () => {
      if (isReleased) return
      isReleased = true
      one.users -= 1
      closeUnused()
    },
  }
}

function closeUnused(): void {
  const busy = new Set([...shared.values()].filter(({ users }) => users > 0).map(({ path }) => path))
  for (const [key, { fd, path, users }] of shared) {
    if (users > 0 || busy.has(path) || existsSync(`${path}-wal`)) continue
    closeSync(fd)
    shared.delete(key)
  }
}
