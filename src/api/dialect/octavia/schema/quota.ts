/** The body of Octavia's quotas (docs/peers/octavia.md 23), with the spellings that the openstack command writes. */
import { OCTAVIA_QUOTA } from '../limits.ts'
import { wsmeInteger, wsmeRules } from './wsme.ts'

const NAMES = [
  'loadbalancer',
  'load_balancer',
  'listener',
  'member',
  'pool',
  'healthmonitor',
  'health_monitor',
  'l7policy',
  'l7rule',
] as const

export type OctaviaQuotaChange = Readonly<Partial<Record<(typeof NAMES)[number], number | null>>>

export const octaviaQuotaUpdate = wsmeRules<OctaviaQuotaChange>(
  'quotas',
  'quota',
  Object.fromEntries(NAMES.map((name) => [name, wsmeInteger(OCTAVIA_QUOTA)])),
)
