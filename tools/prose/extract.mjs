// Extracts the repository's prose: documentation, messages and comments.
import { docsPassages } from './markdown.mjs'
import { sentencesOf } from './passage.mjs'
import { sourcePassages } from './source.mjs'

export const KINDS = ['docs', 'messages', 'comments']

/** @returns the passages of one file, each with its kind, its index in the file and its text */
export function passagesOf(path, source) {
  return path.endsWith('.md') ? docsPassages(source) : sourcePassages(path, source)
}

/** @returns the sentences of one file: kind, line and text */
export function fileSentences(path, source) {
  return passagesOf(path, source).flatMap((passage) =>
    sentencesOf(passage).map(({ index, text }) => ({
      kind: passage.kind,
      line: source.slice(0, passage.index + index).split('\n').length,
      text,
    })),
  )
}
