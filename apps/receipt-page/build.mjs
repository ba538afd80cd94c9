// Builds dist/receipt.html: a single file that includes its script and style, and can neither load nor send
// anything. The content security policy contains the hashes of the built script and style, so the page runs nothing
// else.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const at = (path) => new URL(path, import.meta.url)

const { outputFiles } = await build({
  entryPoints: [at('src/page.ts').pathname],
  bundle: true,
  write: false,
  minify: true,
  format: 'iife',
  target: 'es2022',
  platform: 'browser',
  legalComments: 'none',
})
const script = outputFiles[0].text.replaceAll('</script', '<\\/script')
const style = readFileSync(at('src/page.css'), 'utf8')
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`
// Replacement functions, because `$&` in the script must not be interpreted.
const html = readFileSync(at('src/page.html'), 'utf8')
  .replace('POLICY', () => policy)
  .replace('/*STYLE*/', () => style)
  .replace('/*SCRIPT*/', () => script)
mkdirSync(at('dist/'), { recursive: true })
writeFileSync(at('dist/receipt.html'), html)
