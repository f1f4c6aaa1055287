/**
 * Why a probe ended as it did: code, the layer of the cause, verdict and sentence in one row, after HAProxy's
 * `check_statuses[]` table. Codes are part of the API (member health, transitions, metrics); they are never renamed.
 */

/**
 * The outcome of a probe. `inconclusive`: the prober could not find out; it changes no counter, unless the monitor's
 * option `inconclusive` says so and the reason is one of `TROUBLES_OF_PROBES`.
 */
export type Outcome = 'passed' | 'failed' | 'inconclusive'

export type Layer = 'L3' | 'L4' | 'L6' | 'L7' | 'PROBER'

/**
 * How a failure counts (docs/state-machine.md): `network` and `timeout` are soft; a policy may make the others hard,
 * so that one of them is enough. `retriable` is a wrong status that is always soft.
 */
export type FailureKind = 'network' | 'timeout' | 'status' | 'payload' | 'immediate' | 'retriable'

export interface ReasonRow {
  readonly layer: Layer
  readonly outcome: Outcome
  readonly sentence: string
  /** Of failures; absent = `network`. */
  readonly kind?: FailureKind
}

export const REASONS = {
  PASSED: { layer: 'L7', outcome: 'passed', sentence: 'the probe passed' },

  ICMP_TIMEOUT: {
    layer: 'L3',
    outcome: 'failed',
    kind: 'timeout',
    sentence: 'no ICMP echo reply within the timeout',
  },
  ICMP_UNREACHABLE: { layer: 'L3', outcome: 'failed', sentence: 'ICMP port or host unreachable received' },

  CONNECT_TIMEOUT: {
    layer: 'L4',
    outcome: 'failed',
    kind: 'timeout',
    sentence: 'no connection within the timeout',
  },
  CONNECT_REFUSED: { layer: 'L4', outcome: 'failed', sentence: 'the target refused the connection' },
  CONNECT_UNREACHABLE: { layer: 'L4', outcome: 'failed', sentence: 'no route to the target' },
  CONNECT_RESET: { layer: 'L4', outcome: 'failed', sentence: 'the target reset the connection' },

  TLS_HANDSHAKE: { layer: 'L6', outcome: 'failed', sentence: 'the TLS handshake failed' },
  TLS_TIMEOUT: {
    layer: 'L6',
    outcome: 'failed',
    kind: 'timeout',
    sentence: 'the TLS handshake did not end within the timeout',
  },

  SEND_FAILED: { layer: 'L7', outcome: 'failed', sentence: 'the request could not be sent' },
  RECV_TIMEOUT: {
    layer: 'L7',
    outcome: 'failed',
    kind: 'timeout',
    sentence: 'no complete response within the timeout',
  },
  RECV_CLOSED: {
    layer: 'L7',
    outcome: 'failed',
    sentence: 'the target closed the connection before it answered',
  },
  RESPONSE_MALFORMED: { layer: 'L7', outcome: 'failed', sentence: 'the answer is not the expected protocol' },
  STATUS_MISMATCH: {
    layer: 'L7',
    outcome: 'failed',
    kind: 'status',
    sentence: 'the status code is not an expected one',
  },
  STATUS_RETRIABLE: {
    layer: 'L7',
    outcome: 'failed',
    kind: 'retriable',
    sentence: 'the status code is one that the monitor lists as retriable',
  },
  BODY_MISMATCH: {
    layer: 'L7',
    outcome: 'failed',
    kind: 'payload',
    sentence: 'the answer does not hold the expected bytes',
  },
  IDENTITY_MISMATCH: {
    layer: 'L7',
    outcome: 'failed',
    kind: 'status',
    sentence: 'another service than the expected one answered',
  },
  GRPC_NOT_SERVING: {
    layer: 'L7',
    outcome: 'failed',
    kind: 'status',
    sentence: 'the gRPC service does not say SERVING',
  },
  IMMEDIATE_FAIL: {
    layer: 'L7',
    outcome: 'failed',
    kind: 'immediate',
    sentence: 'the target asked to be taken out of service',
  },
  IDLE_CLOSED: {
    layer: 'L7',
    outcome: 'failed',
    sentence: 'the target closed the idle connection',
  },
  TLS_CERTIFICATE: {
    layer: 'L6',
    outcome: 'failed',
    sentence: 'the certificate of the target is not valid',
  },

  PROBER_NO_SOCKET: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'the prober has no descriptor, source port or buffer left',
  },
  PROBER_FORBIDDEN: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'the host of the prober does not permit this packet',
  },
  PROBER_OFFLINE: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'the prober has no network towards the target',
  },
  PROBER_OVERLOAD: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'the prober was stalled while it waited for the target',
  },
  PROBER_FAULT: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'the prober had an error that does not say whether the target works',
  },
  PROBER_STOPPING: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'the prober stopped during the probe',
  },
  PROBER_UNSUPPORTED: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'this prober cannot make this kind of probe',
  },
  PROBER_MASS_FAILURE: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence:
      'most targets failed at once, and all canaries or the other sites make this prober the cause: held back',
  },
  DEPENDENCY_DOWN: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'what this target depends on is OFFLINE',
  },
  TARGET_DENIED: {
    layer: 'PROBER',
    outcome: 'inconclusive',
    sentence: 'the target policy forbids to probe this address',
  },
} as const satisfies Record<string, ReasonRow>

export type Reason = keyof typeof REASONS

/**
 * Inconclusive reasons that a monitor may let count (option `inconclusive`): local faults of a single probe. The others
 * never count, because they say nothing about the member: the prober stops, may not probe the target, or sees a mass
 * failure, or a parent is OFFLINE.
 */
export const TROUBLES_OF_PROBES: ReadonlySet<Reason> = new Set<Reason>([
  'PROBER_NO_SOCKET',
  'PROBER_FORBIDDEN',
  'PROBER_OFFLINE',
  'PROBER_OVERLOAD',
  'PROBER_FAULT',
  'PROBER_UNSUPPORTED',
])
