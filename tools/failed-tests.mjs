// What failed in a run of the tests, from vitest's JSON report: `count` prints how many tests passed and failed, else each failed test with its message in brief.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [path, what] = process.argv.slice(2)
const report = JSON.parse(readFileSync(path, 'utf8'))

if (what === 'count') console.log(report.numPassedTests, report.numFailedTests)
else {
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = relative(process.cwd(), name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    for (const test of failed) console.log(`test: ${file}: ${test.fullName}: ${brief(test.failureMessages.join(' '))}`)
    // A file that could not be loaded, or a hook that failed, has no failed test of its own.
    if (status === 'failed' && failed.length === 0) console.log(`test: ${file}: ${brief(message ?? '')}`)
  }
}

function brief(text) {
  return text.replace(/\s+/g, ' ').slice(0, 600)
}
