/**
 * Finds secrets in commands and in formats without name–value pairs: `curl -u user:secret`, `mysql -psecret`, `.netrc`,
 * XML elements, forms, SQL, YAML block scalars.
 *
 * Each pattern finds the beginning of a value; `value.ts` finds its end. Each pattern has either bounded repetitions or
 * only one repetition, so that matching takes linear time.
 */

import type { Span } from './masked-text.js'
import type { KeyRules } from './name/name-rules.js'
import { QuotingReader } from './quoting.js'
import { match, readBare, readQuoted, type Stretch } from './value.js'

interface CommandRule {
  readonly start: RegExp
  /**
   * The number of the group that captures the secret's name. If there is no such group, the pattern always matches a
   * secret.
   */
  readonly name?: number
  /** The separator before the secret: `user:secret`, `user%secret`. */
  readonly behind?: string
}

/** Matches the text between a command and its flag: any text on the same line without a separator. */
const ARGUMENTS = String.raw`[^\r\n;&|]{0,256}?`

const RULES: readonly CommandRule[] = [
  {
    start: command(
      'curl|wget|http|https|xh|httpie|curlie|ab|siege',
      String.raw`(?:-u|--user|-U|--proxy-user|-a)(?:[ \t]{1,4}|=)?`,
    ),
    behind: ':',
  },
  { start: /(?<![\w-])--(?:proxy-user|userpwd|auth)(?:[ \t]{1,4}|=)(?=["']?[^\s:"']{1,128}:[^\s:"'/])/g, behind: ':' },
  {
    start: command(
      'mysql|mysqldump|mysqladmin|mysqlimport|mysqlshow|mysqlcheck|mysqlsh|mysqlpump|mycli|mariadb|mariadb-dump',
      String.raw`-p(?=[^\s])`,
    ),
  },
  { start: command('sshpass', String.raw`-p[ \t]{0,4}`) },
  {
    start: command(
      '(?:docker|podman|buildah|skopeo|nerdctl|helm registry|oras|crane auth|az|az acr|cf|oc|heroku|ibmcloud|faas-cli|argocd) login',
      String.raw`-(?:p|w|W)[ \t]{1,4}`,
    ),
  },
  {
    start: command(
      'mongo|mongosh|mongodump|mongorestore|mongoexport|mongoimport|influx|clickhouse-client|cqlsh|arangosh',
      String.raw`-p[ \t]{1,4}`,
    ),
  },
  { start: command('redis-cli|keydb-cli|valkey-cli', String.raw`-a[ \t]{1,4}`) },
  { start: command('sqlcmd|bcp|isql|osql|db2|tsql|7z|7za|zip|unzip|psftp', String.raw`-P[ \t]{0,4}`) },
  { start: command('7z|7za|7zr|rar|unrar', String.raw`-h?p(?=[^\s])`) },
  { start: command('plink|pscp|psftp|putty|winscp', String.raw`-pw[ \t]{1,4}`) },
  { start: command('ldapsearch|ldapadd|ldapmodify|ldapdelete|ldappasswd|ldapwhoami', String.raw`-w[ \t]{1,4}`) },
  { start: command('smbclient|rpcclient|smbmap|net|wmic', String.raw`-U[ \t]{0,4}`), behind: '%' },
  { start: command('lftp', String.raw`-u[ \t]{0,4}`), behind: ',' },
  { start: command('openssl', String.raw`(?:-(?:passin|passout|pass)[ \t]{1,4}["']?pass:|-k[ \t]{1,4})`) },
  {
    start: command(
      'keytool|jarsigner|apksigner',
      String.raw`-(?:storepass|keypass|srcstorepass|deststorepass|new)[ \t]{1,4}`,
    ),
  },
  { start: command('gpg|gpg2|borg|restic|duplicity', String.raw`--passphrase[ \t]{1,4}`) },
  { start: command('vncpasswd|x11vnc|xfreerdp|rdesktop', String.raw`(?:-p|-passwd|/p:)[ \t]{0,4}`) },
  { start: command('ansible-vault|vault login|doctl auth init|npm login', String.raw`-t[ \t]{1,4}`) },
  {
    start: command(
      'htpasswd',
      String.raw`-[A-Za-z]{0,4}b[A-Za-z]{0,4}[ \t]{1,4}[^\s]{1,256}[ \t]{1,4}[^\s]{1,256}[ \t]{1,4}`,
    ),
  },
  { start: command('net user', String.raw`[A-Za-z][\w.-]{0,64}[ \t]{1,4}(?=[^/\s*])`) },
  // `echo secret | sudo -S`, `echo user:secret | chpasswd`.
  {
    start:
      /(?<![\w-])(?:echo|printf)[ \t]{1,4}(?=[^\r\n;&|]{1,128}\|[ \t]{0,4}(?:sudo[ \t]{1,4}-S|docker login|podman login|passwd|gh auth|su(?![\w-])))/g,
  },
  { start: /(?<![\w-])(?:echo|printf)[ \t]{1,4}["']?[\w.-]{1,64}:(?=[^\r\n;&|]{1,128}\|[ \t]{0,4}chpasswd)/g },
  // `aws configure set aws_secret_access_key x`, `npm config set //registry/:_authToken x`, `setx API_KEY x`.
  {
    start:
      /(?<![\w-])(?:configure|config|env|ENV|ARG|setx|setenv|set|put|add|export|secret)[ \t]{1,4}(?:--?[\w-]{1,32}[ \t]{1,4}){0,3}(?:set[ \t]{1,4})?["']?([\w./:@-]{1,128})["']?[ \t]{1,4}(?![-=|&;<>])/g,
    name: 1,
  },
  // `.netrc` and similar files with the same keywords.
  {
    start:
      /(?<![\w-])(?:login|account|user|username|machine)[ \t]{1,8}[^\s]{1,256}\s{1,8}(?:account[ \t]{1,8}[^\s]{1,128}\s{1,8})?(?:password|passwd)[ \t]{1,8}/gi,
  },
  // SQL.
  {
    start:
      /(?<![\w-])(?:identified\s{1,4}(?:with\s{1,4}[\w"'`]{1,64}\s{1,4})?(?:by|as)(?:\s{1,4}password)?|password|passphrase|secret)\s{0,4}\(?\s{0,4}(?=["'])/gi,
  },
  {
    start:
      /(?<![\w-])set\s{1,4}password\s{1,4}(?:for\s{1,4}[^\s=]{1,128}\s{0,4})?=?\s{0,4}(?:password\s{0,2}\(\s{0,2})?(?=["'])/gi,
  },
  // XML and property lists.
  { start: /<([A-Za-z_][\w.:-]{0,63})(?:\s[^<>]{0,256})?>\s{0,32}(?:<!\[CDATA\[)?/g, name: 1 },
  { start: /<key>([\w.:-]{1,64})<\/key>\s{0,64}<string>/g, name: 1 },
  // A part of a multipart form.
  { start: /(?<![\w-])name=\\?"?([\w.:[\]-]{1,64})\\?"?[^\r\n\\]{0,128}(?:\r?\n|(?:\\r)?\\n){2}/g, name: 1 },
  // The first line of a YAML block scalar.
  {
    start:
      /(?<![\w.-])["']?([\w.-]{1,64})["']?[ \t]{0,8}:[ \t]{1,8}[|>][+-]?\d?[ \t]{0,8}(?:#[^\n]{0,64})?\r?\n[ \t]{1,64}/g,
    name: 1,
  },
]

/** Creates the pattern that matches a command, with or without a path, and the flag before the secret. */
function command(names: string, flag: string): RegExp {
  return new RegExp(String.raw`(?<![\w-])(?:${names})(?:\.exe)?(?=[ \t])${ARGUMENTS}[ \t]${flag}`, 'g')
}

/** Matches numeric ids: `docker run -u 1000:1000` does not contain a user name and a password. */
const NUMBERS = /^\d+$/

export function findCommands(text: string, rules: KeyRules): readonly Span[] {
  const spans: Span[] = []
  for (const rule of RULES) {
    const quoting = new QuotingReader(text)
    for (const found of text.matchAll(rule.start)) {
      const name = rule.name === undefined ? null : (found[rule.name] ?? '')
      if (name !== null && !rules.isSensitive(name)) continue
      const start = found.index + found[0].length
      const value = valueAt(text, start, rule, quoting)
      if (value.end > value.start)
        spans.push({
          ...value,
          kind: name === null ? 'command' : 'name',
          declared: name !== null && rules.isDeclared(name),
        })
    }
  }
  return inOrder(spans)
}

const ELEMENT = /(?:(?![$@][({]|#\{|\{\{)[^\s;|<>"'`&]|&(?:amp|lt|gt|quot|apos|#\w{1,8});)*/y

function valueAt(text: string, start: number, rule: CommandRule, quoting: QuotingReader): Stretch {
  if (rule.start.source.startsWith('<')) return { start, end: start + match(ELEMENT, text, start).length }
  const value = readQuoted(text, start, quoting.at(start)) ?? readBare(text, start)
  if (rule.behind === undefined) return value
  const sign = text.slice(value.start, value.end).indexOf(rule.behind)
  if (sign < 0 || NUMBERS.test(text.slice(value.start + sign + 1, value.end))) return { start, end: start }
  return { start: value.start + sign + 1, end: value.end }
}

/** Sorts the spans from several rules and drops each span that overlaps an earlier span. */
function inOrder(spans: readonly Span[]): readonly Span[] {
  const sorted = [...spans].sort((a, b) => a.start - b.start || b.end - a.end)
  let end = 0
  return sorted.filter((span) => {
    if (span.start < end) return false
    end = span.end
    return true
  })
}
