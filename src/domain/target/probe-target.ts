/** The target of a probe: its address, what it sends and what it expects. Built when the configuration is loaded. */
import type { CodeSet } from './expected-codes.ts'
import type { TlsVersion } from './pool-settings.ts'
import type { MonitorType } from '../types.ts'

/** A header of a request; both strings are already checked to be safe on the wire. */
export interface Header {
  readonly name: string
  readonly value: string
}

/** A regular expression in RE2's syntax. One object per monitor: its table is kept by it. */
export interface BodyPattern {
  readonly source: string
}

/** What an HTTP or HTTPS probe sends and expects. All strings are already checked to be safe on the wire. */
export interface HttpRequest {
  readonly method: string
  /** Origin-form target: starts with `/`; visible ASCII. */
  readonly path: string
  /** `2`: prior knowledge on a plain connection (h2c), ALPN `h2` below TLS. */
  readonly version: '1.0' | '1.1' | '2'
  /** Value of the Host header (`:authority` of HTTP/2); absent = no Host header (HTTP/1.0 only). */
  readonly host?: string
  readonly expectedCodes: CodeSet
  /** Statuses that are soft failures, even where a wrong status is a hard one; `expectedCodes` wins. */
  readonly retriableCodes?: CodeSet
  /** Statuses that pass with a warning (Consul: 429). */
  readonly warningCodes?: CodeSet
  /** Statuses with which a target asks to be drained (HAProxy's disable-on-404). */
  readonly drainingCodes?: CodeSet
  /** Further headers, in order. `overwrite`: instead of the probe's own header of that name. */
  readonly headers?: readonly (Header & { readonly action: 'append' | 'overwrite' })[]
  /** Names of headers of the probe's own that are not sent, in lower case. */
  readonly removeHeaders?: readonly string[]
  readonly body?: Uint8Array
  /** Blocks that the body holds, in order, with anything between them (docs/peers/probing.md 14). */
  readonly expectBody?: readonly Uint8Array[]
  /** What is found in the body; besides `expectBody`. */
  readonly expectBodyPattern?: BodyPattern
  /** Bytes of all heads of one answer; absent = HTTP_HEAD_MAX_BYTES. */
  readonly headMaxBytes?: number
  /** Bytes of the body that are searched for `expectBody` and `expectBodyPattern`. */
  readonly searchedBodyBytes?: number
  /** A header, in lower case, by whose presence a passing target says that it is degraded (`x-envoy-degraded`). */
  readonly degradedHeader?: string
  /** What the header `x-envoy-upstream-healthchecked-cluster` of a passing answer starts with (Envoy's service_name). */
  readonly serviceName?: string
}

/**
 * The TLS settings of a probe; one object per monitor. Files are absolute paths inside `HM_TLS_DIR`. Absent: no
 * verification, no SNI for addresses, every version and cipher.
 */
export interface TlsSettings {
  readonly serverName?: string
  readonly alpn?: readonly string[]
  readonly verify: boolean
  /** Absent = true: sessions are resumed. */
  readonly resume?: boolean
  readonly versions?: readonly TlsVersion[]
  /** OpenSSL's cipher string; those of TLS 1.3 among them. */
  readonly ciphers?: string
  readonly caFile?: string
  readonly certificateFile?: string
  readonly keyFile?: string
}

/** What is sent on a TCP or TLS connection and what must come back: blocks in order, not necessarily contiguous. */
export interface TcpExchange {
  readonly send?: Uint8Array
  readonly receive: readonly Uint8Array[]
}

export interface UdpExchange {
  readonly payload?: Uint8Array
  /** True: no reply is a failure. False: no reply passes. */
  readonly requireReply: boolean
  /** Bytes that the reply starts with; null = any byte (keepalived's X). */
  readonly replyPattern?: readonly (number | null)[]
  /** Bytes that a reply has; without a minimum those of the pattern. */
  readonly minReplyBytes?: number
  readonly maxReplyBytes?: number
}

/** grpc.health.v1.Health/Check. */
export interface GrpcRequest {
  /** Empty = the whole server. */
  readonly service: string
  readonly authority: string
  readonly metadata: readonly Header[]
}

/** A connection that is kept between probes of one check. */
export interface ConnectionReuse {
  /** After this many probes a new connection is opened, so that an old one never hides a dead listener. */
  readonly freshEvery: number
  /** Envoy's TCP check: the target closing the idle connection is a failure. */
  readonly idleCloseIsFailure: boolean
}

/** Where one attempt goes. Built when the configuration is loaded, reused by every probe of the check. */
export interface ProbeTarget {
  readonly type: MonitorType
  /** IP literal without brackets or zone. */
  readonly address: string
  readonly family: 4 | 6
  /** 1..65535; 0 for PING. */
  readonly port: number
  /** Milliseconds the scheduler gives the attempt; for probers only a fact to report, never a timer. */
  readonly timeoutMs: number
  /** Source address to bind to; absent = the kernel chooses. */
  readonly sourceAddress?: string
  /** UDP-CONNECT of profile elb: an ICMP echo must be answered before the datagram is sent. */
  readonly echoFirst?: boolean
  readonly http?: HttpRequest
  /** The same in HTTP/2, sent instead if the target chooses h2 by ALPN. */
  readonly http2?: HttpRequest
  /** Instead of `http`, on HTTP (prior knowledge) and HTTPS. */
  readonly grpc?: GrpcRequest
  /** On HTTP and TCP: TLS is spoken. HTTPS and TLS-HELLO speak it without, too. */
  readonly tls?: TlsSettings
  readonly tcp?: TcpExchange
  readonly udp?: UdpExchange
  /** A PROXY protocol header of this version is sent first. */
  readonly proxyProtocol?: 1 | 2
  readonly reuse?: ConnectionReuse
  /** How the connection is ended after the probe; absent = as the type does by itself. */
  readonly close?: 'fin' | 'rst'
  /** TCP: the handshake is broken off with an RST instead of the last ACK, where the prober can. */
  readonly halfOpen?: true
  /** Echo requests of PING; all must be answered. Absent = 1. */
  readonly echoCount?: number
}
