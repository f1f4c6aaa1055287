/**
 * What the functions of an option's row get, and what they return. The type of all options is computed from the table
 * of rows, so it cannot be used here. The few options that a row reads from other rows are declared by hand.
 */
import type { StatePolicy } from '../status/state-machine.ts'
import type { PoolSettings } from '../target/pool-settings.ts'
import type { ProbeTarget } from '../target/probe-target.ts'
import type { MonitorType, PlainField } from '../types.ts'
import type { Preset } from './preset-names.ts'
import type { Named } from './secret-headers.ts'

/** The options that rows read from other rows. A test checks that the table has each of them, with a type that fits. */
export interface ReadOptions {
  readonly preset?: Preset
  readonly sites?: readonly string[]
  readonly flap?: { readonly high_percent?: number }
  readonly connection?: {
    readonly proxy_protocol?: string
    readonly source_address?: string
    readonly close?: string
  }
  readonly tls?: { readonly certificate?: string; readonly key?: string }
  readonly http?: {
    readonly version?: string
    readonly method?: string
    readonly path?: string
    readonly host?: string
    readonly headers?: readonly Named[]
    readonly searched_body_bytes?: number
  }
  readonly tcp?: object
  readonly udp?: {
    readonly reply_pattern?: string
    readonly min_reply_length?: number
    readonly max_reply_length?: number
  }
  readonly grpc?: { readonly metadata?: readonly Named[] }
}

/** The fields of a monitor that rows read. */
export interface ReadMonitor {
  readonly options?: ReadOptions | null
  readonly domainName: string | null
  readonly urlPath: string | null
  readonly httpVersion: string | null
  readonly expectedCodes: string | null
}

/** The facts of the host that decide. */
export interface OptionSurroundings {
  /** HM_SOURCE_ADDRESSES. */
  readonly sourceAddresses: readonly string[]
  /** Whether HM_TLS_DIR has a file of this name; absent = HM_TLS_DIR is not set. */
  readonly hasTlsFile?: (name: string) => boolean
  /** Why a regular expression cannot be searched for; undefined = it can. Absent = not checked. */
  readonly patternProblem?: (source: string) => string | undefined
}

/** What an option is checked against. */
export interface Fitting {
  readonly type: MonitorType
  readonly httpMethod: string | null
  readonly options: ReadOptions
  readonly surroundings: OptionSurroundings
}

export const ORIGINS = ['options', 'preset', 'field', 'pool', 'profile', 'default'] as const
export type Origin = (typeof ORIGINS)[number]

export interface EffectiveOption {
  readonly value: unknown
  readonly from: Origin
  /** Why probes cannot follow it; absent = they do. */
  readonly unmet?: string
}

/** The input of the options' rows for their part of a plan: what is done, and which sources may have decided it. */
export interface Planning {
  readonly monitor: ReadMonitor
  readonly type: MonitorType
  readonly pool: PoolSettings
  readonly policy: StatePolicy
  /** A target without a member: neither its address nor its port is part of the plan. */
  readonly target: ProbeTarget
  /** What the Host header names where no domain is named; undefined = the member. */
  readonly hostAddress: string | undefined
  /** Whose defaults hold: the preset's, else the profile's. */
  readonly preset: Preset
  readonly ofPreset: 'preset' | 'profile'
  readonly isSent: (field: PlainField) => boolean
  /** Where a value comes from that a field has, sent or filled in. */
  readonly ofField: (field: PlainField) => Origin
}
