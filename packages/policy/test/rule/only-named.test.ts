import { expect, test } from 'vitest'
import { compileOnlyNamed } from '../../src/rule/only-named.js'

const only = (...paths: readonly string[]) => compileOnlyNamed(paths.map((path) => path.split('.')))

test.each<[readonly string[], object, boolean]>([
  [['a'], { a: { any: [1] } }, true],
  [['a'], {}, true],
  [['a'], { b: 1 }, false],
  [['a.b'], { a: { b: 1 } }, true],
  [['a.b'], { a: { b: 1, c: 2 } }, false],
  [['a.b', 'a'], { a: { b: 1, c: 2 } }, true],
  [['a.*'], { a: [1, { x: 1 }] }, true],
  [['a.0'], { a: [1, 2] }, false],
  [['a.*.b', 'a.0'], { a: [{ x: 1 }, { b: 1 }] }, true],
  [['a.b'], { a: 'text' }, true],
  [[], { constructor: 1 }, false],
])('%j names all of %j: %s', (paths, kwargs, holds) => expect(only(...paths)(kwargs as never)).toBe(holds))
