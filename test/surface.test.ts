// Lists the exported names of each package, both values and types, in one file per package, so that a diff shows added
// and removed names.
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Declarations, ENTRY_POINTS, PUBLISHED } from './fixtures/entry-point.js'

const declarations = new Declarations(ENTRY_POINTS)

/** Returns one line for each name, under its entry point: `value createSigner`, `type Signer`. */
const listOf = (home: (typeof PUBLISHED)[number]): string =>
  ENTRY_POINTS.filter((entry) => entry.package === home)
    .map((entry) => {
      const { values, types } = declarations.surfaceOf(entry)
      return `${entry.name}\n${[...values.map((name) => `  ${name}`), ...types.map((name) => `  type ${name}`)].join('\n')}\n`
    })
    .join('\n')

describe('the surface (UPDATE_SURFACE=1 writes it anew)', () => {
  it.each(PUBLISHED)('of %s is what it was', (home) => {
    const file = new URL(`./surface/${home}.txt`, import.meta.url)
    const names = listOf(home)
    if (process.env.UPDATE_SURFACE === '1') writeFileSync(file, names)
    expect(names).toBe(readFileSync(file, 'utf8'))
  })

  it('is the same to the compiler and at run time', async () => {
    for (const entry of ENTRY_POINTS.filter(({ package: home }) => home !== 'adapters'))
      expect(Object.keys((await import(entry.url)) as object).sort(), entry.name).toEqual(
        declarations.surfaceOf(entry).values,
      )
  })

  it('of the main entry points is small', () => {
    const main = ENTRY_POINTS.filter(({ name, package: home }) => name === `@sudoagent/${home}`)
    const names = main
      .map((entry) => declarations.surfaceOf(entry))
      .flatMap(({ values, types }) => [...values, ...types])
    expect(main).toHaveLength(PUBLISHED.length - 1)
    // Half of the names of the release before, and `PendingApproval`.
    expect(names.length).toBeLessThanOrEqual(235)
  })
})
