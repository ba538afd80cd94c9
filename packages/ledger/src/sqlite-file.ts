/**
 * `@sudoagent/ledger/sqlite-file`: checks of untrusted SQLite files, for stores in other packages. `requireSoundFile`
 * walks the pages before SQLite opens the file; `foreignObjects` lists objects other than the caller's tables;
 * `SchemaGuard` detects a schema change; `FileIdentity` and `PinnedFile` detect that a path now names a different
 * file; `followLinks` resolves symbolic links; `createPrivately` creates a file that only its owner can access;
 * `requireOneWriter` refuses a file that other users can write to.
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
