/** What the API answers, as far as the page shows it; openapi.yaml describes all of it. */

export interface Counts {
  readonly total: number
  readonly online: number
  readonly offline: number
  readonly unknown: number
  readonly disabled: number
  readonly no_monitor: number
  readonly pending: number
  readonly stale?: number
  readonly maintenance?: number
}

export interface EventObject {
  readonly id: string
  readonly name: string | null
  readonly address?: string | null
  readonly protocol_port?: number | null
}

export interface ServiceEvent {
  readonly id: string
  readonly type: string
  readonly time: string
  readonly project_id: string | null
  readonly loadbalancer?: EventObject
  readonly pool?: EventObject
  readonly member?: EventObject
  readonly from?: string
  readonly to?: string
  readonly reason?: string
  readonly detail?: string
  readonly [further: string]: unknown
}

export interface Overview {
  readonly project_id: string | null
  readonly as_of: string
  readonly members: Counts
  readonly pools: Readonly<Record<string, number>>
  readonly loadbalancers: Readonly<Record<string, number>>
  readonly changes: readonly ServiceEvent[]
  readonly after: string
  readonly projects?: readonly { readonly project_id: string; readonly members: Counts }[]
}

export interface LoadBalancer {
  readonly id: string
  readonly name: string
  readonly project_id: string
  readonly vip_address: string | null
  readonly operating_status: string
  readonly since: string
  readonly pools: number
  readonly members: Counts
}

export interface Recurrence {
  readonly rrule: string
  readonly time_zone: string
  /** Local time of the first one. */
  readonly start: string
  /** Seconds. */
  readonly duration: number
  readonly except?: readonly string[]
}

export interface Maintenance {
  readonly start: string
  readonly end: string | null
  readonly note: string
  readonly recurrence?: Recurrence
}

export interface Monitor {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly admin_state_up: boolean
  readonly delay_seconds: number
  readonly timeout_seconds: number
  readonly rise: number
  readonly fall: number
  readonly maintenance: Maintenance | null
}

export interface Pool {
  readonly id: string
  readonly name: string
  readonly project_id: string
  /** Null: a door keeps the pool. */
  readonly loadbalancer: { readonly id: string; readonly name: string } | null
  /** Null: a pool of LBaaS. */
  readonly door: { readonly name: string; readonly scope: string; readonly key: string } | null
  readonly operating_status: string
  readonly since: string
  readonly in_service: boolean
  /** Null: the pool has no options. */
  readonly traffic: string | null
  readonly monitor_type: string | null
  readonly maintenance: boolean
  readonly maintenance_window: Maintenance | null
  readonly members: Counts
  readonly healthmonitor?: Monitor | null
}

export interface RecentResult {
  readonly at: string
  readonly result: 'passed' | 'failed' | 'inconclusive'
  readonly reason: string
  readonly latency_ms: number
}

export interface Phases {
  readonly echo_ms: number | null
  readonly connect_ms: number | null
  readonly tls_ms: number | null
  readonly first_byte_ms: number | null
  readonly total_ms: number | null
}

export interface Window {
  readonly min_seconds: number
  readonly max_seconds: number
}

export interface Member {
  readonly id: string
  readonly name: string
  readonly project_id: string
  readonly pool_id: string
  readonly address: string
  readonly protocol_port: number
  readonly admin_state_up: boolean
  readonly weight: number
  readonly backup: boolean
  readonly why: string
  readonly status: string
  readonly since: string | null
  readonly reason: string
  readonly pending: boolean
  readonly detail: string | null
  readonly stale: boolean
  readonly degraded: boolean
  readonly warning: boolean
  readonly draining: boolean
  readonly counters: { readonly rise: string; readonly fall: string } | null
  readonly last_probe: {
    readonly at: string
    readonly result: RecentResult['result']
    readonly reason: string
    readonly latency_ms: number | null
    readonly phases: Phases
    readonly address: string
  } | null
  readonly as_of: string | null
  readonly next_probe_at: string | null
  readonly detection_window: { readonly down: Window; readonly up: Window | null } | null
  readonly maintenance?: readonly (Maintenance & { readonly of: string; readonly active: boolean })[]
  readonly recent_results?: readonly RecentResult[]
  /** What it shows over TLS; absent = it shows none, or nothing is known yet. */
  readonly certificate?: Certificate
  /** What each site sees; absent = `local` alone probes it. */
  readonly sites?: readonly SiteOfMember[]
  readonly evidence: Readonly<Record<string, unknown>> | null
  readonly pool?: Pool
  readonly healthmonitor?: Monitor | null
}

/** A site that probes a member, and what it sees. */
export interface SiteOfMember {
  readonly site: string
  /** Null: it has no verdict. */
  readonly status: string | null
  readonly votes: boolean
  readonly served: boolean
  readonly since: string | null
  readonly reason: string
  readonly detail: string | null
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

export interface FoundMember {
  readonly id: string
  readonly name: string
  readonly address: string
  readonly protocol_port: number
  readonly pool_id: string
  readonly pool_name: string
  readonly state: string
  readonly pending: boolean
  readonly stale: boolean
  readonly since: string | null
  readonly reason: string
  readonly why: string
}

export interface Transition {
  readonly id: string
  readonly at: string
  readonly from: string
  readonly to: string
  readonly reason: string
  readonly detail: string
  readonly evidence: Readonly<Record<string, unknown>>
  readonly dropped: number
}

export interface Plan {
  readonly options: Readonly<Record<string, { readonly value: unknown; readonly from: string }>>
  readonly next_probes: readonly string[]
  readonly probes_per_second: number
}

export interface Prober {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly alive: boolean
  readonly started_at: string
  readonly last_heartbeat_at: string
  readonly shards: readonly number[]
  readonly checks: number | null
  readonly in_flight: number | null
  readonly in_flight_max: number | null
  readonly queue: number | null
  readonly stale: number | null
  readonly unwritten: number | null
  readonly lag: { readonly p99_ms: number; readonly max_ms: number } | null
  readonly inconclusive: Readonly<Record<string, number>>
  readonly breaker: {
    readonly state: string
    readonly canaries: number
    readonly canaries_answer: number | null
    readonly held: number
    /** Other sites see ONLINE what fails here. */
    readonly suspect: boolean
    readonly trips: number
  } | null
}

export interface Webhook {
  readonly id: string
  /** Null: of administrators, for the events of all projects. */
  readonly project_id: string | null
  readonly name: string
  readonly url: string
  readonly format: string
  readonly enabled: boolean
  readonly last_success_at: string | null
  readonly last_error: string | null
  readonly last_error_at: string | null
  /** In a row. */
  readonly failures: number
  readonly retry_at: string | null
  /** `at_least`: there are more than that. */
  readonly lag: { readonly events: number; readonly at_least: boolean; readonly seconds: number }
  readonly dead_letters: { readonly kept: number; readonly at_least: boolean; readonly dropped: number }
}

export interface WebhookPage {
  readonly webhooks: readonly Webhook[]
  /** Where the next page begins. */
  readonly marker?: string
}

export interface WebhookTest {
  readonly result: 'delivered' | 'refused' | 'unanswered' | 'unreachable'
  readonly status: number | null
  readonly error: string | null
  readonly duration_ms: number
}

export interface Session {
  readonly auth: 'none' | 'keystone'
  readonly project_id: string
  readonly user_id: string | null
  readonly roles: readonly string[]
  readonly administrator: boolean
  readonly may_write: boolean
}

export interface PublicPage {
  readonly id: string
  readonly project_id: string
  readonly title: string
  readonly pools: readonly string[]
  /** Of each of them; empty: it has none. */
  readonly pool_names: readonly string[]
  readonly show_members: boolean
  readonly created_at: string
  /** Only when the link was made by this request. */
  readonly token?: string
}

export interface Uptime {
  readonly since: string | null
  readonly windows: readonly UptimeWindow[]
}

export interface UptimeWindow {
  readonly hours: number
  /** Of the time for which the status is known; null = it never was. */
  readonly up_share: number | null
  readonly coverage: number
  readonly online_seconds: number
  readonly offline_seconds: number
  readonly pending_seconds: number
  readonly disabled_seconds: number
  readonly maintenance_seconds: number
  readonly no_data_seconds: number
}
