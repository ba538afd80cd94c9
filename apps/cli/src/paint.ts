import { Chalk, type ChalkInstance } from 'chalk'

/** Chalk with 16 colours, or with none. Its own guess is not asked: it knows one stream and no `NO_COLOR`. */
export function painter(colour: boolean): ChalkInstance {
  return new Chalk({ level: colour ? 1 : 0 })
}
