/**
 * What a monitor does, option by option, and where each comes from: its `options`, the preset that they name, a plain field,
 * its pool, the profile (the dialect that created it), or the default of all. Values are in the options' own words, by the
 * path of the option: `http.path`.
 */
import { hostAddressOf } from '../target/http-target.ts'
import { type GroupRow, type OptionRow, valueIn, TOP_ROWS } from './table.ts'
import type { EffectiveOption, Planning } from './row-context.ts'
import { defaultOf } from './setting.ts'
import { speaksTls } from './tls.ts'
import type { PoolSettings } from '../target/pool-settings.ts'
import { type TargetMember, type TargetMonitor, targetsOf } from '../target/monitor-target.ts'
import { isSent } from './plain-fields.ts'
import { type JudgedMonitor, presetOf, statePolicy } from './profiles.ts'
import type { PlainField } from '../types.ts'

export type PlannedMonitor = JudgedMonitor & TargetMonitor

/** By the path of the option; what does not apply to the monitor is absent. `pool`: the settings of its pool. */
export function effectiveOptions(
  monitor: PlannedMonitor,
  trafficSeen: boolean,
  pool: PoolSettings = {},
): Readonly<Record<string, EffectiveOption>> {
  const on = planningOf(monitor, trafficSeen, pool)
  const ofTable = TOP_ROWS.flatMap((row) => ('rows' in row ? groupEntries(row, on) : entries(row, on)))
  return Object.fromEntries([...ofTable, ...poolEntries(on)])
}

/** Documentation's address (RFC 5737). */
const ANY_MEMBER: TargetMember = {
  address: '192.0.2.1',
  protocolPort: 1,
  monitorAddress: null,
  monitorPort: null,
}

type Entry = readonly [path: string, option: EffectiveOption]

function planningOf(monitor: PlannedMonitor, trafficSeen: boolean, pool: PoolSettings): Planning {
  const { type, options } = monitor
  const isFieldSent = (field: PlainField): boolean => isSent(monitor, field)
  return {
    monitor,
    type,
    pool,
    policy: statePolicy(monitor, trafficSeen),
    // With a port of its own, the monitor ignores the pool: the caller has decided that.
    target: targetsOf({ ...monitor, monitorPort: null }, pool)(ANY_MEMBER),
    hostAddress: hostAddressOf(monitor),
    preset: presetOf(monitor),
    ofPreset: options?.preset === undefined ? 'profile' : 'preset',
    isSent: isFieldSent,
    ofField: (field) => (isFieldSent(field) ? 'field' : 'default'),
  }
}

function groupEntries(row: GroupRow, on: Planning): readonly Entry[] {
  const { isUsed, types } = row.group
  const isPlanned = isUsed === undefined ? (types?.includes(on.type) ?? true) : isUsed(on)
  return isPlanned ? row.rows.flatMap((inner) => entries(inner, on)) : []
}

function entries(row: OptionRow, on: Planning): readonly Entry[] {
  const { plan } = row.option
  const planned = plan === undefined ? plainly(row, on) : plan(on)
  if (planned?.value === undefined) return []
  const isGiven = isFromOptions(on.monitor.options, row, planned.value)
  return [[row.path, isGiven ? { ...planned, from: 'options' } : planned]]
}

/** The given value, else the preset's default, else the general default. */
function plainly(row: OptionRow, on: Planning): EffectiveOption | undefined {
  if (row.option.types?.includes(on.type) === false) return undefined
  const given = valueIn(on.monitor.options, row)
  if (given !== undefined) return { value: given, from: 'options' }
  const ofPreset: unknown = defaultOf(row.option, { preset: on.preset })
  if (ofPreset !== undefined) return { value: ofPreset, from: on.ofPreset }
  return { value: row.option.otherwise, from: 'default' }
}

/** Whether the monitor's own options set it, and the type follows them: not every type can. */
function isFromOptions(options: object | null | undefined, row: OptionRow, value: unknown): boolean {
  const given = valueIn(options, row)
  return given !== undefined && (!isWord(given) || given === value)
}

const isWord = (value: unknown): boolean => typeof value === 'boolean' || typeof value === 'string'

/** The TLS settings of the pool for which there are no options. */
function poolEntries(on: Planning): readonly Entry[] {
  if (!speaksTls(on)) return []
  const { tls, containers = {} } = on.pool
  const isOfType = on.type === 'HTTPS' || on.type === 'TLS-HELLO'
  const settings: readonly Entry[] = [
    ['tls.enabled', { value: true, from: isOfType ? 'field' : 'pool' }],
    ['tls.versions', { value: tls?.versions, from: 'pool' }],
    ['tls.ciphers', { value: tls?.ciphers, from: 'pool' }],
  ]
  return [
    ...settings.filter(([, { value }]) => value !== undefined),
    ...Object.entries(containers).map(
      ([key, value]): Entry => [`tls.${key}`, { value, from: 'pool', unmet: NO_KEY_MANAGER }],
    ),
  ]
}

const NO_KEY_MANAGER =
  'probes have no access to a key manager: options.tls names certificate files of HM_TLS_DIR instead'
