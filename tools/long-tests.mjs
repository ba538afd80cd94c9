// Names the test files that have a form longer than the README's test command takes: those that import test/tier.ts.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const files = execFileSync('git', ['ls-files', '*.test.ts'], { encoding: 'utf8' }).trim().split('\n')
const long = files.filter((file) => /from '[^']*\/tier\.js'/.test(readFileSync(file, 'utf8')))
if (long.length === 0) throw new Error('no test file imports test/tier.ts')
console.log(long.join('\n'))
