// Describes operating system errors. Node's own messages are not used, because they contain system call names and
// repeat paths.
const WORDS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is exceeded'],
  ['EFBIG', 'the file would be too large'],
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'part of the path is not a folder'],
  ['EISDIR', 'it is a directory'],
  ['EEXIST', 'it already exists'],
  ['ELOOP', 'too many symbolic links'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EMFILE', 'too many open files'],
  ['ENXIO', 'nothing is connected to the other end'],
  ['EIO', 'input/output error'],
  ['EADDRINUSE', 'the address is in use'],
  ['EADDRNOTAVAIL', 'the address does not belong to this machine'],
  ['ENOTFOUND', 'no such host'],
])

const HINTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'check its owner and mode, or choose another folder'],
  ['EPERM', 'check its owner and mode, or choose another folder'],
  ['EROFS', 'choose a folder on another disk'],
  ['ENOSPC', 'free some space, or choose a folder on another disk; no partial file remains'],
  ['EDQUOT', 'free some space, or choose a folder on another disk; no partial file remains'],
  ['ENOENT', 'create the folder first, or check the spelling'],
  ['ENOTDIR', 'check the spelling of the path'],
  ['EISDIR', 'name a file in it'],
])

/** Returns the code of a system error (`ENOENT`), or an empty string. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Returns a short description of the error; for an unknown code, Node's message. */
export function errnoWords(error: unknown): string {
  return WORDS.get(errnoOf(error)) ?? (error instanceof Error ? error.message : String(error))
}

/** Returns the hint for the error. */
export function errnoHint(error: unknown, otherwise = 'name another file'): string {
  return HINTS.get(errnoOf(error)) ?? otherwise
}
