/**
 * How long the processor was at `work`, in milliseconds. What must not take long is measured by this: on a busy machine everything takes long by the
 * clock.
 */
export function processorMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  return process.cpuUsage(before).user / 1_000
}
