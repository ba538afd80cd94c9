// Summarizes vitest's JSON report: one line with the numbers of passed and failed tests, then one line for each failed
// test, with the start of its message.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
console.log(report.numPassedTests, report.numFailedTests)
for (const { name, status, message, assertionResults } of report.testResults) {
  const file = relative(process.cwd(), name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  for (const test of failed) console.log(`test: ${file}: ${test.fullName}: ${brief(test.failureMessages.join(' '))}`)
  // A file that failed to load, or a failed hook, has no failed test of its own.
  if (status === 'failed' && failed.length === 0) console.log(`test: ${file}: ${brief(message ?? '')}`)
}

function brief(text) {
  return text.replace(/\s+/g, ' ').slice(0, 600)
}
