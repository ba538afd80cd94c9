/**
 * Begins to count, and gives what tells how long the processor has been at work since, in milliseconds. What must not take long is measured by this:
 * on a busy machine everything takes long by the clock.
 */
export function processorTime(): () => number {
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }
}
