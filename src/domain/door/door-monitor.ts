/** A monitor of a door, from options alone: what the plain fields show follows from them. */
import { type PlainFields, shownFields } from '../options/plain-fields.ts'
import type { MonitorOptions } from '../options/monitor-options.ts'
import type { MonitorType, Profile } from '../types.ts'
import type { DoorMonitor } from './door-pool.ts'

/** What options that say nothing of it leave to the plain fields. */
const PLAIN = {
  delaySeconds: 5,
  timeoutSeconds: 5,
  rise: 3,
  fall: 3,
  domainName: null,
  urlPath: null,
  httpMethod: null,
  httpVersion: null,
  expectedCodes: null,
} as const

/**
 * `profile`: the preset whose behaviour holds where the options say nothing; `plain`: what the plain fields show then, where that is
 * not what most doors show.
 */
export function doorMonitorOf({
  type,
  profile,
  options,
  monitorPort = null,
  plain = {},
}: {
  readonly type: MonitorType
  readonly profile: Profile
  readonly options: MonitorOptions
  readonly monitorPort?: number | null
  readonly plain?: Partial<PlainFields>
}): DoorMonitor {
  const monitor = {
    name: '',
    adminStateUp: true,
    type,
    profile,
    monitorPort,
    ...PLAIN,
    ...plain,
    options,
    sentFields: [],
    tags: [],
    echo: {},
  }
  return { ...monitor, ...shownFields(monitor) }
}
