/** Metrics that say which probes are made by the batch. */
import type { MetricRow } from './metric-row.ts'

export const BATCHED = {
  hm_half_open_batched: {
    type: 'gauge',
    labels: [],
    help: 'Probers that make half-open TCP probes by the batch, with raw sockets',
    advice:
      '0 though monitors have `connection.handshake: half`: these probes cost more CPU. The log says why, at the first of them.',
  },
  hm_tcp_batched: {
    type: 'gauge',
    labels: [],
    help: 'Probers that make plain TCP probes by the batch, with system calls',
    advice:
      '0 on Linux though there are TCP monitors: these probes cost more CPU. The log says why, at the first of them.',
  },
  hm_http_batched: {
    type: 'gauge',
    labels: [],
    help: 'Probers that make HTTP probes in plain text by the batch',
    advice:
      '0 on Linux though there are such monitors: these probes cost more CPU. The log says why, at the first of them.',
  },
  hm_ping_batched: {
    type: 'gauge',
    labels: [],
    help: 'Probers that make PING probes by the batch, with raw sockets of their own',
    advice:
      '0 though monitors have type PING: these probes cost more CPU. The log says why, at the first of them.',
  },
  hm_udp_batched: {
    type: 'gauge',
    labels: [],
    help: 'Probers that make UDP_CONNECT probes without an echo by the batch',
    advice:
      '0 though monitors have type UDP_CONNECT and send no echo before: these probes cost more CPU. The log says why, at the first of them.',
  },
  hm_udp_after_echo_batched: {
    type: 'gauge',
    labels: [],
    help: 'Probers that make UDP_CONNECT probes with an ICMP echo before (profile elb) by the batch',
    advice:
      '0 though monitors of profile elb have type UDP_CONNECT: these probes cost more CPU. The log says why, at the first of them.',
  },
} as const satisfies Record<string, MetricRow>
