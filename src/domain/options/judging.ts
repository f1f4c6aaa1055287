/** Options that say how results become a status, and when the next probe starts: what of the state policy they set. */
import { FLAP_WINDOW, OPTION_INTERVAL_MS, RETRIES } from '../limits.ts'
import type { EffectiveOption, Fitting, Planning } from './row-context.ts'
import type { Intervals, Jitter } from '../timing/intervals.ts'
import type { StatePolicy } from '../status/state-machine.ts'
import type { MonitorType } from '../types.ts'
import { group, hasDefault, type Plain, rowsOf } from './option.ts'
import { PRESETS } from './preset-names.ts'

export const HARD_FAILURES = ['status', 'payload', 'immediate'] as const
export type HardFailure = (typeof HARD_FAILURES)[number]

const START_STATUSES = ['UNKNOWN', 'ONLINE', 'OFFLINE'] as const

/** keepalived's delay_before_retry, and that of its HTTP_GET (docs/peers/probing.md 26). */
const KEEPALIVED_RETRY_MS = 1000
const KEEPALIVED_HTTP_RETRY_MS = 3000
/** Envoy's no_traffic_interval (docs/peers/probing.md 1). */
const ENVOY_NO_TRAFFIC_MS = 60_000

const { integer, boolean, word, list } = rowsOf<StatePolicy>()
const interval = rowsOf<Intervals>().integer
const jitter = rowsOf<Jitter>().integer
const milliseconds = { range: OPTION_INTERVAL_MS, unit: 'milliseconds' } as const
/** Random delays, and how long a status is held. */
const upToADay = { range: { min: 0, max: OPTION_INTERVAL_MS.max }, unit: 'milliseconds' } as const
/** The upper limit of thresholds: a verdict after more results in a row would come too late to be useful. */
const threshold = { range: { min: 1, max: 1000 }, unit: 'results' } as const
const percent = { range: { min: 0, max: 100 }, unit: 'per cent' } as const

const isHttp = (type: MonitorType): boolean => type === 'HTTP' || type === 'HTTPS'
const seconds = (ms: number): number => Math.ceil(ms / 1000)
const retries = (count: number): number => Math.min(count, RETRIES.max)
const allOfRise = ({ rise }: Plain): number => rise

const initial = group({
  description: 'How a check begins: its status, and the results that its first verdict needs.',
  keys: {
    // docs/peers/probing.md 33: with elb the first check alone makes a new member healthy; 31: HAProxy, also as Octavia
    // configures it, starts "up, but will fall down at first failure"; 36: Consul starts critical.
    status: word({
      words: START_STATUSES,
      presets: {
        octavia: 'ONLINE',
        haproxy: 'ONLINE',
        keepalived: 'ONLINE',
        contrail: 'ONLINE',
        consul: 'OFFLINE',
      },
      otherwise: 'UNKNOWN',
      plan: ({ policy, ofPreset }) => ({ value: policy.initialStatus, from: ofPreset }),
    }),
    rise: integer({
      ...threshold,
      derived: { octavia: allOfRise, haproxy: allOfRise, keepalived: allOfRise, contrail: allOfRise },
      otherwise: 1,
      plan: ({ policy, ofPreset }) => ({ value: policy.firstRise, from: ofPreset }),
    }),
    fall: integer({
      ...threshold,
      derived: { contrail: ({ fall }) => fall },
      otherwise: 1,
      plan: ({ policy, ofPreset }) => ({ value: policy.firstFall, from: ofPreset }),
    }),
    unknown_fall: integer({ ...threshold, otherwise: 1, sets: (unknownFall) => ({ unknownFall }) }),
  },
})

const intervals = group({
  description: 'Milliseconds between probes in each state of the check; an absent one is interval_ms.',
  keys: {
    online_pending_ms: interval({
      ...milliseconds,
      description: 'ONLINE, with failures in a row.',
      // Envoy: the interval towards OFFLINE is that of OFFLINE; an explicit value wins.
      derived: { envoy: envoyOffline, kuma: envoyOffline, keepalived: keepalivedRetry },
      plan: (on) => ofState(on, 'onlinePending'),
      sets: (onlinePending) => ({ onlinePending }),
    }),
    offline_ms: interval({
      ...milliseconds,
      description: 'OFFLINE, still failing.',
      derived: { envoy: envoyOffline, kuma: envoyOffline, keepalived: keepalivedOffline },
      plan: (on) => ofState(on, 'offline'),
      sets: (offline) => ({ offline }),
    }),
    offline_pending_ms: interval({
      ...milliseconds,
      description: 'OFFLINE, with successes in a row.',
      plan: (on) => ofState(on, 'offlinePending'),
      sets: (offlinePending) => ({ offlinePending }),
    }),
    undecided_ms: interval({
      ...milliseconds,
      description: 'Until the first verdict.',
      // docs/peers/probing.md 35: no delay until the first report.
      presets: { contrail: 0 },
      plan: ({ policy, ofPreset }) => ({ value: policy.intervals.undecided, from: ofPreset }),
      sets: (undecided) => ({ undecided }),
    }),
    no_traffic_ms: interval({
      ...milliseconds,
      description: 'Until traffic was reported, where no_traffic.reported says that it is.',
      presets: { envoy: ENVOY_NO_TRAFFIC_MS, kuma: ENVOY_NO_TRAFFIC_MS },
      plan: ({ policy, ofPreset }) => ({ value: policy.intervals.noTraffic, from: ofPreset }),
      sets: (noTraffic) => ({ noTraffic }),
    }),
    no_traffic_healthy_ms: interval({
      ...milliseconds,
      description: 'The same while ONLINE and passing.',
      plan: ({ policy: { intervals: all }, ofPreset }) => ({
        value: all.noTrafficHealthy ?? all.noTraffic,
        from: ofPreset,
      }),
      sets: (noTrafficHealthy) => ({ noTrafficHealthy }),
    }),
  },
})

/** Without a value or a preset's default, it is the interval while ONLINE. */
function ofState({ policy, ofPreset }: Planning, state: keyof Intervals): EffectiveOption {
  const ms = policy.intervals[state]
  return { value: ms ?? policy.intervals.online, from: ms === undefined ? 'default' : ofPreset }
}

function envoyOffline({ given, online }: Plain): number {
  return given.offline ?? online
}

function keepalivedRetry({ type }: Plain): number {
  return isHttp(type) ? KEEPALIVED_HTTP_RETRY_MS : KEEPALIVED_RETRY_MS
}

/** docs/peers/probing.md 29: a URL that failed is requested again after the longer of the two (check_http.c epilog()). */
function keepalivedOffline({ type, online, given }: Plain): number | undefined {
  return isHttp(type) ? Math.max(online, given.onlinePending ?? KEEPALIVED_HTTP_RETRY_MS) : undefined
}

const jitterOptions = group({
  description: 'Random time on top of each interval.',
  keys: {
    ms: jitter({ ...upToADay, otherwise: 0, sets: (ms) => ({ ms }) }),
    // As Kuma's.
    percent: jitter({ ...percent, otherwise: 0, sets: (share) => ({ percent: share }) }),
    // As HAProxy's spread-checks.
    spread_percent: jitter({
      range: { min: 0, max: 50 },
      unit: 'per cent',
      description: 'Both ways.',
      otherwise: 0,
      sets: (spreadPercent) => ({ spreadPercent }),
    }),
    initial_ms: jitter({
      ...upToADay,
      description: 'Before the first probe.',
      sets: (initialMs) => ({ initialMs }),
    }),
  },
})

const flap = group({
  description:
    'Damping: from high_percent of changes on, the status is held for hold_ms at least and until they are below low_percent.',
  keys: {
    window: integer({
      range: { min: 0, max: FLAP_WINDOW.max },
      unit: 'results',
      description: 'Results that are looked at; 0 = off.',
      misfit: (window) =>
        window > 0 && window < FLAP_WINDOW.min ? `it is 0 (off) or at least ${FLAP_WINDOW.min}` : undefined,
      plan: ({ policy }) => ({ value: policy.flap?.window ?? 0, from: 'default' }),
    }),
    high_percent: integer({
      ...percent,
      plan: ({ policy }) => ({ value: policy.flap?.highPercent, from: 'default' }),
    }),
    low_percent: integer({
      ...percent,
      misfit: aboveHigh,
      plan: ({ policy }) => ({ value: policy.flap?.lowPercent, from: 'default' }),
    }),
    hold_ms: integer({
      ...upToADay,
      plan: ({ policy }) => ({ value: policy.flap?.holdMs, from: 'default' }),
    }),
  },
})

function aboveHigh(low: number, { options }: Fitting): string | undefined {
  const high = options.flap?.high_percent
  return high !== undefined && low > high ? `it is above high_percent ${high}` : undefined
}

/** The options without a group, and the groups of this file, in the order in which they are shown. */
export const JUDGING = {
  preset: word({
    words: PRESETS,
    description: 'A peer whose behaviour is the default of everything that is not set here.',
  }),
  interval_ms: integer({
    ...milliseconds,
    description: 'Milliseconds between probes; delay shows the seconds, rounded up.',
    field: { name: 'delaySeconds', shows: seconds },
    plan: ({ policy }) => ({ value: policy.intervals.online, from: 'field' }),
  }),
  timeout_ms: integer({
    range: { min: 1, max: 3_600_000 },
    unit: 'milliseconds',
    description: 'Milliseconds that a probe may take; timeout shows the seconds, rounded up.',
    field: { name: 'timeoutSeconds', shows: seconds },
    plan: ({ target }) => ({ value: target.timeoutMs, from: 'field' }),
  }),
  rise: integer({
    ...threshold,
    description: 'Successes in a row to ONLINE; max_retries shows at most 10.',
    field: { name: 'rise', shows: retries },
    // docs/peers/probing.md 25 and 35: with keepalived and Contrail one success is always enough.
    presets: { keepalived: 1, contrail: 1 },
    derived: { consul: ({ rise }) => Math.max(1, rise) },
    plan: risePlan,
  }),
  fall: integer({
    ...threshold,
    description: 'Failures in a row to OFFLINE; max_retries_down shows at most 10.',
    field: { name: 'fall', shows: retries },
    // Of keepalived, `fall` n is `retry` n - 1 (docs/peers/probing.md 25).
    derived: { contrail: ({ fall }) => Math.max(1, fall), consul: ({ fall }) => Math.max(1, fall) },
    plan: ({ policy, ofField }) => ({ value: policy.fall, from: ofField('fall') }),
  }),
  anchor: word({
    words: ['completion', 'start'],
    description: 'From what the interval counts: the end of a probe or its start.',
    otherwise: 'completion',
    sets: (anchor) => ({ anchor }),
  }),
  initial,
  intervals,
  no_traffic: group({
    description:
      'Whether traffic on the pool is reported: only then do the no-traffic intervals hold until it is.',
    keys: {
      reported: boolean({
        description: 'Somebody reports it; otherwise traffic is assumed.',
        otherwise: false,
      }),
    },
  }),
  jitter: jitterOptions,
  hard_failures: list({
    max: HARD_FAILURES.length,
    item: { kind: 'word', words: HARD_FAILURES },
    description: 'Failures that make OFFLINE at once, whatever fall says.',
    presets: { envoy: HARD_FAILURES, kuma: HARD_FAILURES },
    plan: ({ policy, ofPreset }) => ({ value: policy.hardFailures ?? [], from: ofPreset }),
    sets: (hardFailures) => (hardFailures.length === 0 ? {} : { hardFailures }),
  }),
  inconclusive: word({
    words: ['keep', 'break_run', 'fail'],
    description:
      'What a probe does that had trouble on the prober; one that was stopped, denied or held back, or whose parent is OFFLINE, never counts.',
    otherwise: 'keep',
    sets: (inconclusive) => ({ inconclusive }),
  }),
  invert: boolean({
    description: 'A probe that fails passes, and the other way round.',
    otherwise: false,
    sets: (invert) => (invert ? { invert } : {}),
  }),
  recovery_extra: integer({
    range: { min: 0, max: 1000 },
    unit: 'results',
    description: 'Further successes that leaving a decided OFFLINE needs.',
    // docs/peers/probing.md 29: keepalived's HTTP_GET needs two.
    derived: { keepalived: ({ type }) => (isHttp(type) ? 1 : 0) },
    plan: extraPlan,
    sets: (recoveryExtra) => (recoveryExtra === 0 ? {} : { recoveryExtra }),
  }),
  halt_when_offline: boolean({
    description: 'OFFLINE is final until the monitor changes.',
    otherwise: false,
    sets: (haltWhenOffline) => (haltWhenOffline ? { haltWhenOffline } : {}),
  }),
  flap,
}

function risePlan({ policy, preset, ofPreset, ofField, isSent }: Planning): EffectiveOption {
  const isOfPreset = hasDefault(JUDGING.rise, preset) && !isSent('rise')
  return { value: policy.rise, from: isOfPreset ? ofPreset : ofField('rise') }
}

function extraPlan({ policy, preset, ofPreset }: Planning): EffectiveOption {
  const from = hasDefault(JUDGING.recovery_extra, preset) ? ofPreset : 'default'
  return { value: policy.recoveryExtra ?? 0, from }
}
