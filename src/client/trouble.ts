/** What counts as wrong, for every command. */
import type { Member, Overview, Pool } from './wire.ts'

/** A pool whose members are not all as they should be; one that is switched off, or new, is no trouble. */
export function isInTrouble({ operating_status: status, members }: Pool): boolean {
  return status === 'ERROR' || status === 'DEGRADED' || members.offline > 0
}

export function isMemberInTrouble({ status, stale }: Member): boolean {
  return status === 'OFFLINE' || stale
}

/** For scripts: whether something is wrong. */
export function isWrong({ members, pools }: Overview): boolean {
  return members.offline > 0 || members.stale > 0 || (pools['ERROR'] ?? 0) > 0 || (pools['DEGRADED'] ?? 0) > 0
}
