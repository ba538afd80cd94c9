// Compiles the `ts` blocks of all pages in one run, in strict mode and against the built packages. Each block is a
// module.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

export interface Source {
  /** Location of the code: `docs/quickstart.md:12`. */
  readonly from: string
  readonly text: string
}

/** Returns the compiler's errors, each with its line in the page. The list is empty if everything compiles. */
export function typeErrors(root: string, folder: string, sources: readonly Source[]): readonly string[] {
  const origins = new Map(
    sources.map(({ from, text }, index) => {
      const path = join(folder, `block-${index}.ts`)
      // Without an import or export, the block would be a script, whose names would clash with those of other blocks.
      writeFileSync(path, `${text}\nexport {}\n`)
      return [path, from]
    }),
  )
  const config = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, files: [] }, ts.sys, root)
  const program = ts.createProgram([...origins.keys()], {
    ...options,
    noEmit: true,
    declaration: false,
    typeRoots: [join(root, 'node_modules/@types')],
  })
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined || start === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    const from = origins.get(file?.fileName ?? '') ?? file?.fileName ?? 'no file'
    return `${from}, line ${line} of the block: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
