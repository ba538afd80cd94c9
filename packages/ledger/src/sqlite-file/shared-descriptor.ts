// Descriptors of database files that SQLite may have open in this process. POSIX drops all locks of a process
// on a file when the process closes any descriptor of it (https://sqlite.org/howtocorrupt.html, section 2.2).
// So a descriptor must not be closed while a connection of this process may hold a lock: while another user of
// the file is active, or there is a `-wal`.
import { closeSync, existsSync, fstatSync, openSync } from 'node:fs'

interface Shared {
  readonly fd: number
  readonly path: string
  users: number
}

const shared = new Map<string, Shared>()

/** A descriptor for reading. Concurrent users of a file may share one. */
export interface SharedDescriptor {
  readonly fd: number
  release(): void
}

/** @throws the file system's error */
export function openShared(path: string): SharedDescriptor {
  closeUnused()
  const fd = openSync(path, 'r')
  const { dev, ino } = fstatSync(fd, { bigint: true })
  const key = `${dev}:${ino}`
  const found = shared.get(key)
  const one = found ?? { fd, path, users: 0 }
  // The file is already open. The new descriptor is kept, too, since it must not be closed either.
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
