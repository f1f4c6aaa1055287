/** What the API answers, as far as commands read it (openapi.yaml describes it). */
import type { TrafficKind } from '../domain/pool-health/traffic.ts'

export interface Counts {
  readonly total: number
  readonly online: number
  readonly offline: number
  readonly unknown: number
  readonly disabled: number
  readonly no_monitor: number
  readonly pending: number
}

export interface Overview {
  readonly project_id: string | null
  readonly as_of: string
  readonly members: Counts & { readonly stale: number; readonly maintenance: number }
  readonly pools: Readonly<Record<string, number>>
  readonly loadbalancers: Readonly<Record<string, number>>
  /** The position after which a stream of events continues. */
  readonly after: string
}

export interface Named {
  readonly id: string
  readonly name: string
}

export interface Pool extends Named {
  readonly project_id: string
  /** Null: a door keeps the pool. */
  readonly loadbalancer: Named | null
  readonly door: { readonly name: string; readonly scope: string; readonly key: string } | null
  readonly operating_status: string
  readonly since: string
  readonly in_service: boolean
  /** Null: the pool has no options; absent: from an older service. */
  readonly traffic?: TrafficKind | null
  readonly monitor_type: string | null
  readonly maintenance: boolean
  readonly members: Counts
}

export interface PoolPage {
  readonly pools: readonly Pool[]
  readonly next: string | null
}

export interface Maintenance {
  readonly of?: string
  readonly start: string
  readonly end: string | null
  readonly note: string
  readonly active: boolean
  readonly recurrence?: { readonly rrule: string; readonly time_zone: string; readonly duration: number }
  /** With the offset of the time zone of the recurrence. */
  readonly occurrences?: readonly { readonly start: string; readonly end: string }[]
}

interface Window {
  readonly min_seconds: number
  readonly max_seconds: number
}

export interface Member extends Named {
  readonly project_id: string
  readonly pool_id: string
  readonly address: string
  readonly protocol_port: number
  readonly status: string
  readonly since: string | null
  readonly why: string
  readonly reason: string
  readonly detail: string | null
  readonly pending: boolean
  readonly stale: boolean
  readonly counters: { readonly rise: string; readonly fall: string } | null
  readonly last_probe: {
    readonly at: string
    readonly result: string
    readonly reason: string
    readonly latency_ms: number | null
    readonly address: string
    readonly phases: Readonly<Record<string, number | null>>
  } | null
  readonly next_probe_at: string | null
  readonly detection_window: { readonly down: Window; readonly up: Window | null } | null
  readonly maintenance?: readonly Maintenance[]
  /** What it shows over TLS; absent = it shows none, or nothing is known yet. */
  readonly certificate?: Certificate
  /** What each site sees; absent = `local` alone probes it. */
  readonly sites?: readonly SiteOfMember[]
  readonly recent_results?: readonly {
    readonly at: string
    readonly result: string
    readonly reason: string
  }[]
  readonly pool?: Pool
  readonly healthmonitor?: {
    readonly type: string
    readonly rise: number
    readonly fall: number
    readonly delay_seconds: number
    readonly timeout_seconds: number
  } | null
}

/** A site that probes a member, and what it sees. */
export interface SiteOfMember {
  readonly site: string
  /** Null: it has no verdict. */
  readonly status: 'ONLINE' | 'OFFLINE' | null
  readonly votes: boolean
  readonly served: boolean
  readonly since: string | null
  readonly reason: string
  readonly latency_ms: number | null
}

/** The certificate that a member shows over TLS. */
export interface Certificate {
  readonly not_after: string
  /** Below 0: it has expired. */
  readonly days_left: number
  readonly expiring: boolean
  readonly subject: string | null
  readonly issuer: string | null
}

export interface MemberPage {
  readonly members: readonly Member[]
  readonly next: string | null
}

export interface ApiEvent {
  readonly id: string
  readonly type: string
  readonly time: string
  readonly project_id: string | null
  readonly loadbalancer?: { readonly id: string; readonly name: string | null }
  readonly pool?: { readonly id: string; readonly name: string | null }
  readonly member?: {
    readonly id: string
    readonly name: string | null
    readonly address: string | null
    readonly protocol_port: number | null
  }
  readonly from?: string
  readonly to?: string
  readonly reason?: string
  readonly detail?: string
  /** Of what was changed, or is maintained. */
  readonly object?: string
  readonly object_id?: string
  readonly object_name?: string | null
  readonly action?: string
  readonly fields?: readonly string[]
  readonly by?: { readonly user_id?: string }
  readonly end?: string | null
  /** Of a pool whose members became stale together. */
  readonly members?: number
  readonly note?: string
  readonly prober?: { readonly id: string; readonly host: string; readonly pid: number }
}

export interface EventPage {
  readonly events: readonly ApiEvent[]
  readonly after: string
}

export interface WaitAnswer {
  readonly wait: { readonly reached: boolean; readonly seconds: number }
}

export interface Webhook extends Named {
  /** Null: of administrators, for all projects. */
  readonly project_id: string | null
  readonly url: string
  readonly format: string
  readonly filter: Readonly<Record<string, string | readonly string[]>>
  readonly secrets: readonly string[]
  readonly enabled: boolean
  readonly last_success_at: string | null
  readonly last_error: string | null
  readonly last_error_at: string | null
  readonly failures: number
  readonly retry_at: string | null
  /** `at_least`: there are more than that. */
  readonly lag: { readonly events: number; readonly at_least: boolean; readonly seconds: number }
  readonly dead_letters: { readonly kept: number; readonly at_least: boolean; readonly dropped: number }
}

export interface WebhookTest {
  readonly result: 'delivered' | 'refused' | 'unanswered' | 'unreachable'
  readonly status: number | null
  readonly error: string | null
  readonly duration_ms: number
}

export interface DeadLetter {
  readonly id: string
  readonly at: string
  readonly reason: string
  readonly event: ApiEvent
}

/** What a probe found that was asked for. */
export interface ProbeNow {
  readonly result: 'passed' | 'failed' | 'inconclusive'
  readonly reason: string
  readonly detail: string
  readonly flag: string | null
  readonly counted: boolean
  readonly at: string
  readonly latency_ms: number
  readonly phases: Readonly<Record<string, number | null>>
  readonly evidence: Readonly<Record<string, unknown>>
  readonly prober_id: string
}
