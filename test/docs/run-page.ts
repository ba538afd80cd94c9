// Runs the blocks of a page in order, in the page's folder, as a reader would.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Block, Page } from './markdown.js'
import type { ReaderFolder } from './reader-folder.js'
import { commandsOf, outputFits, runCommands } from './session.js'
import type { Source } from './type-check.js'

/** Pages whose code imports agent frameworks. `compat/test/docs.test.ts` compiles and runs that code. */
export const NEED_FRAMEWORKS: readonly string[] = ['docs/adapters.md', 'packages/adapters/README.md']

/** Returns the `ts` blocks of these pages, except skipped blocks. */
export function programsOf(pages: readonly Page[]): readonly Source[] {
  return pages
    .flatMap(({ blocks }) => blocks)
    .filter(({ language, directive }) => language === 'ts' && !directive?.startsWith('skip'))
    .map(({ page, line, text }) => ({ from: `${page}:${line}`, text }))
}

/** Runs the blocks that the page marks, and compares their output with the page. */
export async function runPage({ path, blocks }: Page, reader: ReaderFolder): Promise<void> {
  const folder = reader.page(path)
  for (const [index, block] of blocks.entries()) {
    if (block.directive?.startsWith('skip')) continue
    if (block.language === 'sh') await runShell(block, folder, reader.env)
    else if (block.directive?.startsWith('file ')) writeFileSync(join(folder, block.directive.slice(5)), block.text)
    else if (block.directive === 'run') await runProgram(block, blocks[index + 1], folder, reader.env)
  }
}

async function runShell(block: Block, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const commands = commandsOf(block)
  expect(commands.length, `${block.page}:${block.line} has no command`).toBeGreaterThan(0)
  const ran = await runCommands(commands, folder, env)
  for (const [index, { text, output, exitCode }] of commands.entries()) {
    const says = ran[index]?.output ?? ''
    const where = `${block.page}:${block.line}: $ ${text}`
    expect({ where, says, exitCode: ran[index]?.exitCode }).toEqual({ where, says, exitCode })
    if (output !== null && !outputFits(output, says)) expect(says, where).toBe(output)
  }
}

async function runProgram(
  block: Block,
  next: Block | undefined,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const name = `program-${block.line}.ts`
  writeFileSync(join(folder, name), block.text)
  const [ran] = await runCommands([{ text: `node ${name}`, output: null, exitCode: 0 }], folder, env)
  expect(ran?.exitCode, `${block.page}:${block.line}: ${ran?.output}`).toBe(0)
  if (next?.language !== 'text') return
  if (!outputFits(next.text, ran?.output ?? '')) expect(ran?.output, `${block.page}:${block.line}`).toBe(next.text)
}
