/**
 * Finds secrets whose name and value are in two members: `{"name": "token", "value": "…"}`, `<add key="password"
 * value="…"/>`, a container's environment in YAML. The members may have either order.
 */

import { isNamingKey, isValueKey } from './key-word.js'
import type { Span } from './masked-text.js'
import type { KeyRules } from './name/name-rules.js'
import { QuotingReader } from './quoting.js'
import { readBare, readQuoted, type Stretch } from './value.js'

/** Captures the member's name and the sign after it. */
const MEMBER = /(?<![\w.$-])([A-Za-z][\w-]{0,31})\\*["']?[ \t]{0,8}(=>|[:=])[ \t]{0,8}/g
/** Matches the text between the two members, which must not end an object or an element. */
const BETWEEN = /^[\s,\\rn"'-]{0,64}$/

interface Member {
  readonly key: string
  readonly start: number
  readonly stretch: Stretch
  readonly end: number
}

export function findNamedValues(text: string, rules: KeyRules): readonly Span[] {
  const spans: Span[] = []
  const quoting = new QuotingReader(text)
  const members = new RegExp(MEMBER)
  let before: Member | null = null
  for (let found = members.exec(text); found !== null; found = members.exec(text)) {
    const key = found[1] ?? ''
    if (!isNamingKey(key) && !isValueKey(key)) continue
    const start = members.lastIndex
    const stretch = readQuoted(text, start, quoting.at(start)) ?? readBare(text, start)
    const member = { key, start: found.index, stretch, end: stretch.end }
    const pair =
      before !== null &&
      BETWEEN.test(text.slice(before.end, Math.min(found.index, before.end + 80))) &&
      found.index - before.end <= 64
        ? before
        : null
    const [name, value] =
      pair === null
        ? []
        : isNamingKey(pair.key) && isValueKey(key)
          ? [pair, member]
          : isValueKey(pair.key) && isNamingKey(key)
            ? [member, pair]
            : []
    before = member
    members.lastIndex = Math.max(start, member.end)
    if (name === undefined || value === undefined || value.stretch.end === value.stretch.start) continue
    const secret = text.slice(name.stretch.start, Math.min(name.stretch.end, name.stretch.start + 256))
    const given = text.slice(value.stretch.start, Math.min(value.stretch.end, value.stretch.start + 32))
    if (!rules.isSensitive(secret, /^\d{1,16}$/.test(given) ? Number(given) : given)) continue
    spans.push({ ...value.stretch, kind: 'name', declared: rules.isDeclared(secret) })
    before = null
  }
  return spans
}
