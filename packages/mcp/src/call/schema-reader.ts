/**
 * A small interpreter for JSON Schema (2020-12 and draft 7, as tools use them). The schema is untrusted: the
 * interpreter generates no code, fetches nothing, follows only references within the document, and limits its work.
 * It does not execute regular expressions, because they may take exponential time: `pattern` is ignored, and
 * `patternProperties` accepts every name.
 */
import { encodeJcs } from '@sudoagent/crypto/json'
import { SCHEMA_REFERENCES_MAX, SCHEMA_STEPS_MAX, SCHEMA_STEPS_PER_CHARACTER } from '../limits.js'

/** The schema uses an unsupported feature. */
export class UnreadableSchema extends Error {
  override readonly name = 'UnreadableSchema'
}

/** The check exceeds the work limit for arguments of this size. */
export class TooMuchWork extends Error {
  override readonly name = 'TooMuchWork'
}

export interface Misfit {
  readonly path: string
  readonly keyword: string
}

type Members = Readonly<Record<string, unknown>>

/** Unsupported keywords that change the meaning of other keywords. */
const NOT_UNDERSTOOD = ['$dynamicRef', '$recursiveRef', 'unevaluatedProperties', 'unevaluatedItems']

export class SchemaReader {
  readonly #root: unknown
  #stepsLeft: number

  /**
   * @param size - size of the arguments in characters. The work limit grows with the size, so that the size alone
   *   does not make a check exceed the limit
   */
  constructor(root: unknown, size: number) {
    this.#root = root
    this.#stepsLeft = SCHEMA_STEPS_MAX + SCHEMA_STEPS_PER_CHARACTER * size
  }

  /**
   * @returns the path of a member that no schema lists; null if all members are listed
   * @throws UnreadableSchema, TooMuchWork
   */
  unlisted(value: unknown): string | null {
    return this.#unlisted([this.#root], value, '')
  }

  /**
   * @returns the first mismatch; null if the value is valid
   * @throws UnreadableSchema, TooMuchWork
   */
  misfit(value: unknown): Misfit | null {
    return this.#misfit(this.#root, value, 'arguments')
  }

  /** @param schemas - all schemas that apply to the value; each member must be listed in one of these schemas */
  #unlisted(schemas: readonly unknown[], value: unknown, path: string): string | null {
    const all = schemas.flatMap((schema) => this.#parts(schema))
    if (Array.isArray(value)) {
      const items = all.flatMap(({ items, prefixItems }) => [items, ...(Array.isArray(prefixItems) ? prefixItems : [])])
      for (const [index, element] of value.entries()) {
        const found = this.#unlisted(items.flat(), element, `${path}[${index}]`)
        if (found !== null) return found
      }
      return null
    }
    if (!isMembers(value)) return null
    const listing = all.filter(({ properties }) => isMembers(properties))
    const isOpen = all.some(
      ({ additionalProperties, patternProperties }) =>
        (additionalProperties !== undefined && additionalProperties !== false) || patternProperties !== undefined,
    )
    for (const [name, member] of Object.entries(value)) {
      this.#step()
      const at = path === '' ? shown(name) : `${path}.${shown(name)}`
      const about = listing.filter(({ properties }) => Object.hasOwn(properties as Members, name))
      if (listing.length > 0 && about.length === 0 && !isOpen) return at
      const found = this.#unlisted(
        about.map(({ properties }) => (properties as Members)[name]),
        member,
        at,
      )
      if (found !== null) return found
    }
    return null
  }

  /** Returns the schema and all other schemas that apply to the same value. */
  #parts(schema: unknown, references = 0): readonly Members[] {
    this.#step()
    if (!isMembers(schema)) return []
    if (references > SCHEMA_REFERENCES_MAX) throw new UnreadableSchema('too many nested references')
    const { $ref, allOf, anyOf, oneOf, if: condition, then, else: otherwise } = schema
    const others = [allOf, anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? list : []))
    const same = [...others, condition, then, otherwise, ...($ref === undefined ? [] : [this.#resolveOrOpen($ref)])]
    return [schema, ...same.flatMap((part) => this.#parts(part, references + 1))]
  }

  /** A schema in a different document may list any name. */
  #resolveOrOpen(reference: unknown): unknown {
    try {
      return this.#resolve(reference)
    } catch (error) {
      if (error instanceof UnreadableSchema) return { additionalProperties: true }
      throw error
    }
  }

  #misfit(schema: unknown, value: unknown, path: string, references = 0): Misfit | null {
    this.#step()
    if (schema === true || schema === undefined) return null
    if (schema === false) return { path, keyword: 'false' }
    if (!isMembers(schema)) throw new UnreadableSchema('a schema is neither an object nor a boolean')
    if (references > SCHEMA_REFERENCES_MAX) throw new UnreadableSchema('too many nested references')
    const unknown = NOT_UNDERSTOOD.find((keyword) => Object.hasOwn(schema, keyword))
    if (unknown !== undefined) throw new UnreadableSchema(`\`${unknown}\` is not supported`)
    const again = (other: unknown): Misfit | null => this.#misfit(other, value, path, references + 1)
    const fits = (other: unknown): boolean => again(other) === null
    const { $ref, allOf, anyOf, oneOf, not, if: condition } = schema
    const own = this.#ownMisfit(schema, value)
    if (own !== null) return { path, keyword: own }
    if ($ref !== undefined) {
      const found = again(this.#resolve($ref))
      if (found !== null) return found
    }
    for (const part of listOf(allOf)) {
      const found = again(part)
      if (found !== null) return found
    }
    if (anyOf !== undefined && !listOf(anyOf).some(fits)) return { path, keyword: 'anyOf' }
    if (oneOf !== undefined && listOf(oneOf).filter(fits).length !== 1) return { path, keyword: 'oneOf' }
    if (not !== undefined && fits(not)) return { path, keyword: 'not' }
    if (condition !== undefined) {
      const found = again(fits(condition) ? schema.then : schema.else)
      if (found !== null) return found
    }
    if (Array.isArray(value)) return this.#elementMisfit(schema, value, path)
    return isMembers(value) ? this.#memberMisfit(schema, value, path) : null
  }

  /** Checks the keywords that apply to the value itself. @returns the keyword that the value violates */
  #ownMisfit(schema: Members, value: unknown): string | null {
    const { type, enum: choices } = schema
    if (type !== undefined && !(Array.isArray(type) ? type : [type]).some((name) => isOfType(name, value)))
      return 'type'
    if (choices !== undefined && !listOf(choices).some((choice) => this.#same(choice, value))) return 'enum'
    if (Object.hasOwn(schema, 'const') && !this.#same(schema.const, value)) return 'const'
    if (typeof value === 'number' || typeof value === 'bigint') return numberMisfit(schema, value)
    if (typeof value === 'string') return sizeMisfit(schema, 'Length', [...value].length)
    if (Array.isArray(value)) {
      if (schema.uniqueItems === true && new Set(value.map((element) => this.#canonical(element))).size < value.length)
        return 'uniqueItems'
      return sizeMisfit(schema, 'Items', value.length)
    }
    return isMembers(value) ? sizeMisfit(schema, 'Properties', Object.keys(value).length) : null
  }

  #elementMisfit(schema: Members, value: readonly unknown[], path: string): Misfit | null {
    const { items, prefixItems, additionalItems, contains } = schema
    const first = Array.isArray(items) ? items : listOf(prefixItems ?? [])
    const rest = Array.isArray(items) ? additionalItems : items
    for (const [index, element] of value.entries()) {
      const found = this.#misfit(index < first.length ? first[index] : rest, element, `${path}[${index}]`)
      if (found !== null) return found
    }
    if (contains === undefined) return null
    const count = value.filter((element) => this.#misfit(contains, element, path) === null).length
    const { minContains = 1, maxContains = value.length } = schema
    return count < Number(minContains) || count > Number(maxContains) ? { path, keyword: 'contains' } : null
  }

  #memberMisfit(schema: Members, value: Members, path: string): Misfit | null {
    const { properties = {}, required = [], additionalProperties, patternProperties, propertyNames } = schema
    if (!isMembers(properties)) throw new UnreadableSchema('`properties` is not an object')
    const needed = listOf(required)
    const missing = needed.find((name) => !Object.hasOwn(value, String(name)))
    if (missing !== undefined) return { path: `${path}.${shown(String(missing))}`, keyword: 'required' }
    for (const [name, member] of Object.entries(value)) {
      const at = `${path}.${shown(name)}`
      // Clients send null for omitted optional arguments.
      if (member === null && !needed.includes(name)) continue
      const rest = patternProperties === undefined ? additionalProperties : true
      const found =
        this.#misfit(propertyNames, name, at) ??
        this.#misfit(Object.hasOwn(properties, name) ? properties[name] : rest, member, at)
      if (found !== null) return found
    }
    return null
  }

  /** @param reference - `#` or `#/$defs/name` */
  #resolve(reference: unknown): unknown {
    if (typeof reference !== 'string' || !/^#(?:\/|$)/.test(reference))
      throw new UnreadableSchema('a reference points outside the schema')
    let found = this.#root
    for (const part of reference.slice(1).split('/').slice(1)) {
      this.#step()
      const name = unescapePointer(part)
      if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name))
        throw new UnreadableSchema('a reference has no target')
      found = (found as Members)[name]
    }
    return found
  }

  #same(one: unknown, other: unknown): boolean {
    return this.#canonical(one) === this.#canonical(other)
  }

  #canonical(value: unknown): string {
    this.#step()
    if (typeof value === 'bigint') return String(value)
    try {
      const text = encodeJcs(value)
      // Comparing long strings costs more than one step.
      this.#step(text.length / 64)
      return text
    } catch {
      throw new UnreadableSchema('a value has no canonical form')
    }
  }

  #step(count = 1): void {
    this.#stepsLeft -= count
    if (this.#stepsLeft < 0) throw new TooMuchWork('the check takes too much work')
  }
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  throw new UnreadableSchema('a list is expected')
}

function isOfType(type: unknown, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isMembers(value)
  if (type === 'integer') return typeof value === 'bigint' || Number.isInteger(value)
  if (type === 'number') return typeof value === 'number' || typeof value === 'bigint'
  if (type === 'string' || type === 'boolean') return typeof value === type
  throw new UnreadableSchema('a type is unknown')
}

function numberMisfit(schema: Members, value: number | bigint): string | null {
  const bound = (keyword: string, fits: (limit: number) => boolean): string | null => {
    const limit = schema[keyword]
    // In draft 4, the exclusive limits are booleans.
    return typeof limit === 'number' && !fits(limit) ? keyword : null
  }
  return (
    bound('minimum', (limit) => value >= limit) ??
    bound('maximum', (limit) => value <= limit) ??
    bound('exclusiveMinimum', (limit) => value > limit) ??
    bound('exclusiveMaximum', (limit) => value < limit) ??
    bound('multipleOf', (limit) => typeof value === 'bigint' || !Number.isInteger(limit) || value % limit === 0)
  )
}

function sizeMisfit(schema: Members, what: 'Length' | 'Items' | 'Properties', size: number): string | null {
  const [least, most] = [schema[`min${what}`], schema[`max${what}`]]
  if (typeof least === 'number' && size < least) return `min${what}`
  return typeof most === 'number' && size > most ? `max${what}` : null
}

/** @throws UnreadableSchema */
function unescapePointer(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    throw new UnreadableSchema('a reference is not a pointer')
  }
}

/** A name is untrusted text, so it is shown only if it is an identifier. */
const shown = (name: string): string => (/^[A-Za-z_$][\w$-]{0,39}$/.test(name) ? name : '[…]')
