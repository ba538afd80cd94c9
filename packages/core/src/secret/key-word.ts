/**
 * Lists the keys under which objects store the name of a secret, and the keys under which they store the value. Case
 * is ignored.
 */

const NAMING: ReadonlySet<string> = new Set([
  ...['name', 'key', 'header', 'field', 'id', 'label', 'variable', 'var', 'k', 'n', 'parameter', 'param', 'property'],
  ...['attribute', 'attr', 'option', 'setting', 'env', 'title', 'type', 'fieldname', 'headername', 'keyname', 'flag'],
])
const VALUE: ReadonlySet<string> = new Set([
  ...['value', 'values', 'val', 'v', 'content', 'contents', 'data', 'text', 'string', 'secretstring', 'stringvalue'],
  ...['defaultvalue', 'default', 'current', 'plaintext', 'rawvalue'],
])

const plain = (key: string): string => key.toLowerCase().replace(/[_-]/g, '')

export const isNamingKey = (key: string): boolean => NAMING.has(plain(key))

export const isValueKey = (key: string): boolean => VALUE.has(plain(key))
