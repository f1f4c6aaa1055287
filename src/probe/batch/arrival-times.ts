/**
 * How long an answer took: from the sending to the moment in which the kernel received it, both by the wall clock, so
 * that it does not matter how late the answer is read.
 */

/** Bytes of the control messages of a packet that is received: its time of arrival (kernel-time.ts). */
export const ARRIVAL_BYTES = 64

/**
 * Microseconds from `sentUs` to `atUs` (0 = unknown). `elapsedMs`, by the monotonic clock, are those until the answer was
 * read: the wall clock may have been set meanwhile, and no answer took longer.
 */
export function tookUs(sentUs: number, atUs: number, elapsedMs: number): number {
  const elapsedUs = elapsedMs * 1000
  if (atUs === 0 || sentUs === 0 || atUs < sentUs) return elapsedUs
  return Math.min(atUs - sentUs, Math.max(elapsedUs, 1000))
}
