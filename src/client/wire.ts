/** What the API answers, as far as commands read it (openapi.yaml describes it). */

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
  /** Where a stream of events goes on. */
  readonly after: string
}

export interface Named {
  readonly id: string
  readonly name: string
}

export interface Pool extends Named {
  readonly project_id: string
  readonly loadbalancer: Named
  readonly operating_status: string
  readonly since: string
  readonly in_service: boolean
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
