// Errors of the operating system in words. Node's own messages name system calls and repeat paths; a person wants to know what is wrong.
const WORDS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EFBIG', 'the file would be too large'],
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'part of the path is not a folder'],
  ['EISDIR', 'it is a directory'],
  ['EEXIST', 'it exists already'],
  ['ELOOP', 'too many symbolic links'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EMFILE', 'too many open files'],
  ['ENXIO', 'nothing is at the other end'],
  ['EIO', 'input/output error'],
  ['EADDRINUSE', 'another program listens there'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'there is no host with that name'],
])

const HINTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'check who owns it and its mode, or choose another folder'],
  ['EPERM', 'check who owns it and its mode, or choose another folder'],
  ['EROFS', 'choose a folder on another disk'],
  ['ENOSPC', 'free some space, or choose a folder on another disk; nothing was left behind'],
  ['EDQUOT', 'free some space, or choose a folder on another disk; nothing was left behind'],
  ['ENOENT', 'the folder must be there already: make it, or check the spelling'],
  ['ENOTDIR', 'check the spelling of the path'],
  ['EISDIR', 'name a file in it'],
])

/** The code of an error of the operating system (`ENOENT`), or an empty text. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** What went wrong, in a few words; for a code that is not known here, Node's own message. */
export function errnoWords(error: unknown): string {
  return WORDS.get(errnoOf(error)) ?? (error instanceof Error ? error.message : String(error))
}

/** What to do about it. */
export function errnoHint(error: unknown, otherwise = 'name another file'): string {
  return HINTS.get(errnoOf(error)) ?? otherwise
}
