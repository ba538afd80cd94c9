/**
 * `@sudoagent/ledger/sqlite-file`: checks of a SQLite file before it is trusted, for the stores of other
 * packages. `requireSoundFile` walks the pages before SQLite opens them; `foreignObjects` lists objects other
 * than the caller's tables; `SchemaGuard` detects a change of the schema; `FileIdentity` and `PinnedFile`
 * detect that the path names another file; `followLinks` resolves the file that has the `-wal` next to it;
 * `createPrivately` creates a file for its owner alone; `requireOneWriter` refuses a file that other users can
 * write to.
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
