import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { BlockMatch } from '../../src/domain/address/block-match.ts'
import { selectHealthCheck } from '../../src/domain/kuma/health-check-selection.ts'
import type { Tags } from '../../src/domain/kuma/objects.ts'
import { detectionWindow } from '../../src/domain/timing/detection-window.ts'
import { addedJitterMs, spreadMs } from '../../src/domain/timing/probe-times.ts'
import { REASONS } from '../../src/domain/result/reasons.ts'
import type { HttpRequest } from '../../src/domain/target/probe-target.ts'
import { outcomeOf, outcomeOfWord } from '../../src/domain/status/step-outcome.ts'
import { BodySearch } from '../../src/probe/http/body-search.ts'
import { judgeResponse } from '../../src/probe/http/http-verdict.ts'

interface Bounds {
  readonly min_ms: number
  readonly max_ms: number
}

interface TcpFuzzy {
  readonly kind: 'tcp_fuzzy'
  readonly receive_hex: readonly string[]
  readonly chunks_hex: readonly string[]
  readonly expect: 'success' | 'no_match_wait_until_timeout'
  readonly matched_after_chunk: number | null
}

interface EnvoyHttp {
  readonly kind: 'envoy_http'
  readonly status: number
  readonly expected: readonly (readonly [number, number])[]
  readonly retriable?: readonly (readonly [number, number])[]
  readonly degraded?: boolean
  /** The answer has `x-envoy-immediate-health-check-fail`. */
  readonly immediate?: boolean
  readonly receive?: readonly string[]
  readonly body?: string
  readonly response_buffer_size?: number
  readonly service_name_prefix?: string
  /** Value of the header that names the service. */
  readonly hdr?: string
  readonly expect: string
}

interface EnvoyJitter {
  readonly kind: 'envoy_jitter'
  readonly base_ms: number
  readonly interval_jitter_percent: number
  readonly interval_jitter_ms: number
  readonly expect: Bounds
}

interface HaproxySpread {
  readonly kind: 'haproxy_spread'
  readonly inter_ms: number
  readonly spread_checks: number
  readonly expect: Bounds
}

interface DetectionWindow {
  readonly kind: 'detection_window'
  readonly timeout_s: number
  readonly threshold: number
  readonly interval_s: number
  readonly expect_s: number
}

interface KumaSelection {
  readonly kind: 'kuma_v1_rank'
  readonly policies: readonly {
    readonly name: string
    readonly source: Tags
    readonly destination: Tags
    readonly created: number
  }[]
  readonly expect: string
}

type Vector = { readonly id: string } & (
  | TcpFuzzy
  | EnvoyHttp
  | EnvoyJitter
  | HaproxySpread
  | DetectionWindow
  | KumaSelection
)

const vectors = ['eval-vectors.json', 'further-eval-vectors.json'].flatMap(
  (file) =>
    (JSON.parse(readFileSync(`test/vectors/${file}`, 'utf8')) as { vectors: readonly Vector[] }).vectors,
)

/** Envoy's response_buffer_size where none is set. */
const ENVOY_SEARCHED_BYTES = 1024
/** The largest random number there is. */
const NEARLY_ONE = 1 - 2 ** -53

for (const vector of vectors) {
  test(`${vector.id}, ${vector.kind}: decided as the peer decides`, () => {
    switch (vector.kind) {
      case 'tcp_fuzzy':
        return evaluateBlocks(vector)
      case 'envoy_http':
        return evaluateHttp(vector)
      case 'envoy_jitter':
        return evaluateJitter(vector)
      case 'haproxy_spread':
        return evaluateSpread(vector)
      case 'detection_window':
        return evaluateWindow(vector)
      case 'kuma_v1_rank':
        return evaluateSelection(vector)
    }
  })
}

function evaluateBlocks({ receive_hex, chunks_hex, matched_after_chunk, expect }: TcpFuzzy): void {
  const match = new BlockMatch(receive_hex.map(bytesOf))
  const matchedAfter = chunks_hex.findIndex((chunk) => match.take(bytesOf(chunk)))
  assert.equal(matchedAfter < 0 ? null : matchedAfter, matched_after_chunk)
  assert.equal(match.isComplete, expect === 'success')
}

function evaluateHttp(vector: EnvoyHttp): void {
  const request: HttpRequest = {
    method: 'GET',
    path: '/',
    version: '1.1',
    expectedCodes: codesOf(vector.expected.length === 0 ? [[200, 201]] : vector.expected),
    retriableCodes: codesOf(vector.retriable ?? []),
    expectBody: (vector.receive ?? []).map(bytesOf),
    searchedBodyBytes: vector.response_buffer_size ?? ENVOY_SEARCHED_BYTES,
    ...(vector.service_name_prefix === undefined ? {} : { serviceName: vector.service_name_prefix }),
  }
  const search = BodySearch.of(request)
  search?.take(Buffer.from(vector.body ?? ''))
  const { reason, flag } = judgeResponse(request, {
    status: vector.status,
    saysDegraded: vector.degraded === true,
    asksToFail: vector.immediate === true,
    service: vector.hdr ?? '',
    bodyMatches: search?.matches,
  })
  const { outcome } = REASONS[reason]
  const judged = outcomeOf({ outcome, reason, ...(flag === undefined ? {} : { flag }) })
  assert.equal(judged, outcomeOfWord(vector.expect))
}

function evaluateJitter(vector: EnvoyJitter): void {
  const { base_ms, interval_jitter_percent: percent, interval_jitter_ms: ms, expect } = vector
  // Envoy's floor is 1 ms; ours is higher, and the scheduler's.
  const interval = (forPercent: number, forMs: number) =>
    Math.max(1, base_ms + addedJitterMs(base_ms, { percent, ms }, forPercent, forMs))
  assertReaches(expect, interval(0, 0), interval(NEARLY_ONE, NEARLY_ONE))
  fc.assert(fc.property(RANDOM, RANDOM, (a, b) => assertWithin(expect, interval(a, b))))
}

function evaluateSpread({ inter_ms, spread_checks, expect }: HaproxySpread): void {
  const interval = (random: number) => inter_ms + spreadMs(inter_ms, spread_checks, random)
  assertReaches(expect, interval(NEARLY_ONE), interval(0))
  fc.assert(fc.property(RANDOM, (random) => assertWithin(expect, interval(random))))
}

function evaluateWindow({ timeout_s, threshold, interval_s, expect_s }: DetectionWindow): void {
  const { down, up } = detectionWindow({
    profile: 'elb',
    delaySeconds: interval_s,
    timeoutSeconds: timeout_s,
    rise: threshold,
    fall: threshold,
  })
  // The manual counts from the start of the first failing probe; ours adds the wait for it.
  assert.deepEqual([down.maxSeconds - interval_s, (up?.maxSeconds ?? 0) - interval_s], [expect_s, expect_s])
}

const RANDOM = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

function assertReaches({ min_ms, max_ms }: Bounds, least: number, most: number): void {
  assert.deepEqual({ min_ms: least, max_ms: most }, { min_ms, max_ms })
}

function assertWithin({ min_ms, max_ms }: Bounds, ms: number): void {
  assert.ok(Number.isInteger(ms) && ms >= min_ms && ms <= max_ms, `${ms} is out of ${min_ms}..${max_ms}`)
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

function codesOf(ranges: readonly (readonly [number, number])[]): HttpRequest['expectedCodes'] {
  return ranges.map(([start, end]) => ({ from: start, to: end - 1 }))
}

/** Of a proxy of the service web in a region, for the service backend. */
function evaluateSelection({ policies, expect }: KumaSelection): void {
  const stored = policies.map(({ name, source, destination, created }) => ({
    name,
    labels: {},
    createdAt: new Date(created * 1000).toISOString(),
    sources: [source],
    destinations: [destination],
    conf: {},
  }))
  const tags = [{ 'kuma.io/service': 'web', region: 'eu' }]
  assert.equal(selectHealthCheck(stored, tags, 'backend')?.name, expect)
}
