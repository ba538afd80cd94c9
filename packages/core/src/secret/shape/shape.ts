/**
 * Finds tokens without a fixed prefix, which are recognised by their shape, and secrets that occur together with a
 * known id.
 */
import type { Span } from '../masked-text.js'

/**
 * | shape | issuer |
 * |---|---|
 * | three parts, the first the base64 of a number | Discord bot |
 * | a number, `:`, 35 characters | Telegram bot |
 * | 14 characters, `.atlasv1.`, the rest | Terraform Cloud |
 * | three characters, a digit, `Q~`, the rest | Microsoft Entra client secret |
 * | 32 hex digits, `-us`, a number | Mailchimp |
 * | a number, `\|`, 27 to 40 characters | Facebook app |
 * | two runs and `_mmk` | MaxMind licence |
 * | base64 with `JQQJ99` or `AzCa`/`ACDb`/`ASt`/`AIoT` signatures | Azure keys |
 */
const SHAPES = new RegExp(
  [
    String.raw`(?<![\w.-])[MNO][\w-]{23,27}\.[\w-]{6,7}\.[\w-]{27,}`,
    String.raw`(?<![\w.:-])\d{8,12}:[A-Za-z0-9_-]{35}(?![\w-])`,
    String.raw`(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{20,}`,
    String.raw`(?<![\w.~-])[\w.~]{3}\dQ~[\w.~-]{31,34}`,
    String.raw`(?<![a-f0-9])[a-f0-9]{32}-us\d{1,2}(?!\d)`,
    String.raw`(?<!\d)\d{15,16}\|[\w-]{27,40}`,
    String.raw`(?<!\w)[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?!\w)`,
    '(?<![A-Za-z0-9+/])[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}(?![A-Za-z0-9])',
    '(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}(?:AzSe|AzCa|ACDb|AzFu)[A-Za-z0-9+/]{5}[AQgw]?={0,2}(?![A-Za-z0-9+/=])',
    '(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{76}(?:ASt|AMC|ACD|APIM|AIoT|ABa)[A-Za-z0-9+/]{5}[AQgw]?={0,2}(?![A-Za-z0-9+/=])',
  ].join('|'),
  'g',
)

const AWS_ID = /(?:AKIA|ASIA)[A-Z0-9]{12}/
/** Matches 40 characters of base64. A git commit id has the same length, but contains only hex digits. */
const AWS_SECRET =
  /(?<![A-Za-z0-9+/=])(?=[A-Za-z0-9+/]{0,39}[A-Z])(?=[A-Za-z0-9+/]{0,39}[g-z+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])/g

export function findShapes(text: string): readonly Span[] {
  return Array.from(text.matchAll(SHAPES), ({ 0: token, index }) => ({
    start: index,
    end: index + token.length,
    kind: 'token',
  }))
}

/**
 * Finds AWS secret keys. AWS secret keys do not have a distinctive shape, so the rule searches only text that
 * contains an AWS key id.
 */
export function findAwsSecrets(text: string): readonly Span[] {
  if (!AWS_ID.test(text)) return []
  return Array.from(text.matchAll(AWS_SECRET), ({ 0: secret, index }) => ({
    start: index,
    end: index + secret.length,
    kind: 'token',
  }))
}
