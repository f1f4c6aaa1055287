/** Why a member has its status, as a sentence for people. */
import { REASONS, type Reason } from '../result/reasons.ts'
import type { MemberReason } from './member-status.ts'

/** Reasons that no probe gave. */
const WITHOUT_PROBE: Readonly<Record<Exclude<MemberReason, Reason>, string>> = {
  NO_MONITOR: 'the pool has no health monitor',
  MONITOR_DISABLED: 'the health monitor is switched off',
  LOAD_BALANCER_DISABLED: 'the load balancer is switched off',
  POOL_DISABLED: 'the pool is switched off',
  MEMBER_DISABLED: 'the member is switched off',
  PROVIDER_NOT_PROBED: 'the provider of the load balancer is not probed',
  NOT_YET_PROBED: 'there was no sure result yet',
}

/** Without a capital at its beginning and without a full stop; the code itself where it is not known here. */
export function statusSentence(reason: MemberReason): string {
  if (reason in REASONS) return REASONS[reason as Reason].sentence
  return WITHOUT_PROBE[reason as Exclude<MemberReason, Reason>] ?? reason
}

/** Whether a word is a reason that is known here; a newer service may have others. */
export function isReason(word: string): word is MemberReason {
  return word in REASONS || word in WITHOUT_PROBE
}
