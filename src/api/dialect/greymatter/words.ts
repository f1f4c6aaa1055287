/** The names of health: the words of Envoy's HealthStatus, which runs the checks of Grey Matter. */
import type { MemberReason, MemberState } from '../../../domain/status/member-status.ts'
import { statusSentence } from '../../../domain/status/status-sentence.ts'

export type HealthWord = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN'

export const HEALTH_WORDS: Readonly<Record<MemberState, HealthWord>> = {
  ONLINE: 'HEALTHY',
  OFFLINE: 'UNHEALTHY',
  UNKNOWN: 'UNKNOWN',
  DISABLED: 'UNKNOWN',
  NO_MONITOR: 'UNKNOWN',
}

/** Of an instance that is a name. */
export const HOST_IS_A_NAME = 'HOST_IS_A_NAME'

/** Why an instance has its status, as a sentence. */
export function whyOf(reason: MemberReason | typeof HOST_IS_A_NAME): string {
  if (reason === HOST_IS_A_NAME)
    return 'its host is a name, and only addresses are probed: probes use no resolver'
  return reason === 'NO_MONITOR' ? 'the cluster has no health check' : statusSentence(reason)
}
