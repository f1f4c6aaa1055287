/** Whether the source address of a target is one of this host. */
import type { BatchCalls } from './batch-calls.ts'
import type { BatchTargets } from './batch-targets.ts'
import type { IpFamily } from './ip-family.ts'
import { socketName } from './socket-name.ts'

const SOCK_DGRAM_CLOEXEC = 0o2000002

/** Asked after a failure only: it takes a socket. True where none can be opened. */
export function isOwnSource(
  calls: BatchCalls,
  family: IpFamily,
  { sources }: BatchTargets,
  slot: number,
): boolean {
  const name = socketName(family, sources, slot)
  const fd = calls.socket(family.af, SOCK_DGRAM_CLOEXEC, 0)
  if (fd < 0) return true
  const isBound = calls.bind(fd, name, name.length) === 0
  calls.close(fd)
  return isBound
}
