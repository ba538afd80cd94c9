/** Defines the result of redacting a call's arguments. */
import type { JsonValue } from '@sudoagent/crypto/json'
import type { Concealment } from './concealment.js'

/** A redacted value, the list of its concealed parts, and the numbers of its values and keys that redaction changed. */
export interface Redacted {
  readonly json: JsonValue
  readonly concealed: readonly Concealment[]
  /** The number of concealed UTF-16 code units that neither an option nor a credential's form declares as secret. */
  readonly undeclared: number
  /**
   * The number of values and keys that are recorded as something other than themselves. If the number is 0, the JSON
   * form is equal to the value.
   *
   * Each of these values and keys counts once, even if there are several reasons:
   *
   * - a string or key that contains a secret, and a string or number under a sensitive name;
   * - a string or key that was not in Unicode NFC when the caller passed it;
   * - a string or key that is recorded with the prefix `<text>`, and a key that is recorded with a number (`#2`);
   * - the values that `converted` counts.
   *
   * A plain object or array does not count, only its keys and values do. A Map or Set counts in addition to its
   * contents. A value that is passed by reference counts once, because its contents are not read.
   *
   * A value that `concealed` lists does not count if it is recorded as itself, such as the string `[redacted]` under a
   * sensitive name. Members that a snapshot leaves out do not count, because the function does not receive them: symbol
   * keys, members that are not enumerable, and named properties of arrays. For the same reason, an object without a
   * prototype and an array of a subclass count as plain. The order of members does not count.
   */
  readonly redacted: number
  /**
   * The number of values, included in `redacted`, that do not exist in JSON: bytes, class instances, functions,
   * symbols, promises, RegExp, bigint, integers beyond ±(2^53−1), −0, undefined and holes, Date, Map, Set, URL. A key
   * of a Map counts like any other value. These values count under a sensitive name, too.
   */
  readonly converted: number
}
