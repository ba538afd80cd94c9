// Prints the test files that `pnpm test:long` runs: files with a long form, which import test/tier.ts, and files that
// the README's test command excludes.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const files = execFileSync('git', ['ls-files', '*.test.ts'], { encoding: 'utf8' }).trim().split('\n')
const longer = files.filter((file) => /from '[^']*\/tier\.js'/.test(readFileSync(file, 'utf8')))
if (longer.length === 0) throw new Error('no test file imports test/tier.ts')
const only = JSON.parse(readFileSync('test/long-only.json', 'utf8'))
for (const file of only) if (!existsSync(file)) throw new Error(`test/long-only.json: ${file} does not exist`)
console.log([...new Set([...longer, ...only])].join('\n'))
