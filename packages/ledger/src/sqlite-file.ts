/**
 * `@sudoagent/ledger/sqlite-file`: what every store in a SQLite file does before it trusts the file, for the stores of the other packages.
 * `requireSoundFile` walks the pages before SQLite opens them, `foreignObjects` lists what the file declares besides the caller's tables, `SchemaGuard`
 * notices a change of that, `FileIdentity` and `PinnedFile` notice that the path names another file now, `followLinks` names the file that
 * has the `-wal` next to it, `createPrivately` makes a file for its owner alone, and `requireOneWriter` refuses one that others can write to.
 */
export { FileIdentity, followLinks, PinnedFile } from './file.js'
export { NATIVE_MODULE_HINT, nativeModuleProblem } from './native-module.js'
export { createPrivately, requireOneWriter } from './private-file.js'
export { DamagedFile, requireSoundFile } from './sqlite-file/file-check.js'
export {
  type ForeignObject,
  foreignObjects,
  type OwnObject,
  ownObjects,
  requireOwnObjects,
} from './sqlite-file/objects.js'
export { SchemaGuard } from './sqlite-file/schema-guard.js'
