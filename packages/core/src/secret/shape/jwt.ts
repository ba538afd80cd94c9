/**
 * Finds JSON Web Tokens. Signed tokens have three parts. Encrypted tokens have five parts, some of which may be empty.
 */

import type { Span } from '../masked-text.js'
import { endsInBorder } from './border.js'

/** Matches a run of token characters. Each run is read only once. */
const DOTTED_RUN = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)+/g
const START = /eyJ[A-Za-z0-9_-]{2}/g

export function findJwts(text: string): readonly Span[] {
  const spans: Span[] = []
  for (const { 0: run, index } of text.matchAll(DOTTED_RUN)) {
    const start = startIn(text, run, index)
    const token = start === null ? '' : text.slice(start, index + run.length).replace(/\.{1,4}$/, '')
    if (start !== null && token.includes('.')) spans.push({ start, end: start + token.length, kind: 'jwt' })
  }
  return spans
}

function startIn(text: string, run: string, index: number): number | null {
  for (const found of run.matchAll(START)) {
    if (endsInBorder(text, index + found.index)) return index + found.index
  }
  return null
}
