import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { MonitorOptions, Preset } from '../../src/domain/options/monitor-options.ts'
import { type PlainPolicy, presetPolicy } from '../../src/domain/options/presets.ts'
import { type SimulatedEvent, type SimulatedStep, simulate } from '../../src/domain/status/simulation.ts'
import { outcomeOfWord, type StepOutcome } from '../../src/domain/status/step-outcome.ts'

/** The words of a peer's own configuration. */
type PeerConfig = Readonly<Record<string, number | string | boolean | undefined>>

interface Vector {
  readonly id: string
  readonly peer: string
  readonly config: PeerConfig
  readonly results: readonly string[]
  readonly expect: readonly (Readonly<Record<string, unknown>> | null)[]
  readonly unified_config: unknown
}

interface Monitor {
  readonly preset: Preset
  readonly plain: Omit<PlainPolicy, 'type'> & Partial<Pick<PlainPolicy, 'type'>>
  readonly options?: MonitorOptions
}

const { vectors } = JSON.parse(readFileSync('test/vectors/state-vectors.json', 'utf8')) as {
  vectors: readonly Vector[]
}

/** The monitor that a user of a peer would create: its preset, and options for the settings of the peer. */
const MONITORS: Readonly<Record<string, (settings: Settings) => Monitor>> = {
  envoy,
  greymatter: envoy,
  kuma: envoy,
  haproxy: (settings) => {
    const [rise, fall] = [settings.count('rise') ?? 2, settings.count('fall') ?? 3]
    const initial = {
      up: {},
      'fully-up': { initial: { fall } },
      down: { initial: { status: 'OFFLINE', rise: 1 } },
      'fully-down': { initial: { status: 'OFFLINE', rise } },
    } as const
    const fast = settings.count('fastinter_ms')
    return {
      preset: 'haproxy',
      plain: { rise, fall, intervalMs: settings.count('inter_ms') ?? 2000 },
      options: {
        ...initial[(settings.config['init_state'] ?? 'up') as keyof typeof initial],
        intervals: set({
          online_pending_ms: fast,
          offline_pending_ms: fast,
          offline_ms: settings.count('downinter_ms'),
        }),
      },
    }
  },
  octavia: (settings) => ({
    preset: 'octavia',
    plain: {
      rise: settings.count('rise') ?? 0,
      fall: settings.count('fall') ?? 0,
      intervalMs: settings.count('inter_ms') ?? 0,
    },
  }),
  // keepalived, as Octavia configures it: max_retries_down is its `retry`.
  'octavia-lvs': (settings) => ({
    ...keepalived(settings),
    options: { intervals: { online_pending_ms: settings.count('delay_before_retry_ms') ?? 0 } },
  }),
  otc: (settings) => ({
    preset: 'elb',
    plain: {
      rise: settings.count('max_retries') ?? 0,
      fall: settings.count('max_retries_down') ?? 3,
      intervalMs: 1000 * (settings.count('delay_s') ?? 0),
    },
  }),
  keepalived,
  contrail: (settings) => ({
    preset: 'contrail',
    plain: {
      rise: 3,
      fall: settings.count('max_retries') ?? 0,
      intervalMs: 1000 * Math.max(1, settings.count('delay_s') ?? 0),
    },
  }),
  consul: (settings) => ({
    preset: 'consul',
    plain: {
      rise: settings.count('success_before_passing') ?? 0,
      fall: settings.count('failures_before_critical') ?? 0,
      intervalMs: settings.count('interval_ms') ?? 0,
    },
    options: settings.config['status'] === 'passing' ? { initial: { status: 'ONLINE' } } : {},
  }),
  'k8s-readiness': (settings) => kubernetes(settings, { status: 'OFFLINE', halts: false }),
  'k8s-liveness': (settings) => kubernetes(settings, { status: 'ONLINE', halts: true }),
  'k8s-startup': (settings) => kubernetes(settings, { status: 'UNKNOWN', halts: true }),
  traefik: (settings) => ({
    preset: 'elb',
    plain: { rise: 1, fall: 1, intervalMs: settings.count('interval_ms') ?? 30_000 },
    options: {
      anchor: 'start',
      initial: { status: 'ONLINE' },
      intervals: set({ offline_ms: settings.count('unhealthyInterval_ms') }),
    },
  }),
  'uptime-kuma': (settings) => {
    const fall = 1 + (settings.count('maxretries') ?? 0)
    return {
      preset: 'elb',
      plain: { rise: 1, fall, intervalMs: 1000 * (settings.count('interval_s') ?? 0) },
      options: {
        anchor: 'start',
        initial: { unknown_fall: fall },
        intervals: { online_pending_ms: 1000 * (settings.count('retryInterval_s') ?? 60) },
      },
    }
  },
}

function envoy(settings: Settings): Monitor {
  const [rise, fall] = [settings.count('healthy_threshold') ?? 0, settings.count('unhealthy_threshold') ?? 0]
  return {
    preset: 'envoy',
    plain: {
      rise,
      fall,
      intervalMs: settings.count('interval_ms') ?? 0,
      trafficSeen: settings.config['traffic'] === true,
    },
    options: {
      ...(settings.config['initial'] === 'healthy' ? { initial: { status: 'ONLINE', rise, fall } } : {}),
      intervals: set({
        offline_ms: settings.count('unhealthy_interval_ms'),
        online_pending_ms: settings.count('unhealthy_edge_interval_ms'),
        offline_pending_ms: settings.count('healthy_edge_interval_ms'),
        no_traffic_ms: settings.count('no_traffic_interval_ms'),
      }),
    },
  }
}

function keepalived(settings: Settings): Monitor {
  return {
    preset: 'keepalived',
    plain: {
      rise: 3,
      fall: 1 + (settings.count('retry') ?? 1),
      intervalMs: settings.count('delay_loop_ms') ?? 60_000,
    },
    options: {
      ...(settings.config['alpha'] === true ? { initial: { status: 'OFFLINE', rise: 1 } } : {}),
      intervals: set({ online_pending_ms: settings.count('delay_before_retry_ms') }),
    },
  }
}

function kubernetes(
  settings: Settings,
  { status, halts }: { status: 'ONLINE' | 'OFFLINE' | 'UNKNOWN'; halts: boolean },
): Monitor {
  const [rise, fall] = [settings.count('successThreshold') ?? 1, settings.count('failureThreshold') ?? 3]
  return {
    preset: 'elb',
    plain: { rise, fall, intervalMs: 10_000 },
    options: {
      anchor: 'start',
      initial: { status, rise, fall, unknown_fall: fall },
      halt_when_offline: halts,
    },
  }
}

class Settings {
  readonly config: PeerConfig

  constructor(config: PeerConfig) {
    this.config = config
  }

  count(key: string): number | undefined {
    const value = this.config[key]
    return typeof value === 'number' ? value : undefined
  }
}

function set<T extends object>(values: T): { readonly [Key in keyof T]: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

const COMPARED = ['status', 'next_interval_ms', 'timer', 'degraded', 'warning', 'draining'] as const

for (const { id, peer, config, results, expect } of vectors.filter((row) => row.unified_config !== null)) {
  test(`${id}: a monitor with the preset and options of ${peer} does as the peer does`, () => {
    const monitor = MONITORS[peer]?.(new Settings(config))
    assert.ok(monitor !== undefined, `no monitor for ${peer}`)
    // HTTP_GET is the one checker of keepalived that needs two passes.
    const type = peer === 'keepalived' && results.includes('status_fail') ? 'HTTP' : 'TCP'
    const policy = presetPolicy(monitor.preset, { type, ...monitor.plain }, monitor.options)
    const steps = simulate(policy, results.map(eventOf))
    assert.deepEqual(steps.map(comparable), expect.map(comparable))
  })
}

function eventOf(word: string): StepOutcome | SimulatedEvent {
  if (word.startsWith('@')) return word as SimulatedEvent
  const outcome = outcomeOfWord(word)
  assert.ok(outcome !== undefined, word)
  return outcome
}

function comparable(row: Readonly<Record<string, unknown>> | SimulatedStep | null): unknown {
  if (row === null) return null
  return Object.fromEntries(Object.entries(row).filter(([key]) => COMPARED.some((name) => name === key)))
}
