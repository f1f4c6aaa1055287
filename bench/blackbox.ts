/**
 * Prometheus' blackbox_exporter: it probes when somebody asks, as Prometheus does each scrape. Who asks is a process of its own
 * (blackbox-client.ts), whose CPU does not count.
 */
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PeerKind } from './engine-kinds.ts'
import type { RunningPeer } from './engine-peer.ts'
import type { BlackboxLoad } from './blackbox-client.ts'
import { freePorts } from './namespace.ts'

/** It speaks HTTP/2 over TLS only. */
export type BlackboxKind = Exclude<PeerKind, 'http2'> | 'ping'

export interface BlackboxOptions {
  readonly kind: BlackboxKind
  readonly addresses: readonly string[]
  readonly port: number
  readonly intervalMs: number
  readonly timeoutMs: number
}

const FIRST_PORT = 18_301
const START_MS = 20_000

const HTTPS = 'prober: http\n    http:\n      tls_config:\n        insecure_skip_verify: true'
const PROBER: Readonly<Record<BlackboxKind, string>> = {
  tcp: 'prober: tcp',
  http: 'prober: http',
  https: HTTPS,
  'https-rsa': HTTPS,
  grpc: 'prober: grpc\n    grpc:\n      tls: false',
  ping: 'prober: icmp\n    icmp:\n      preferred_ip_protocol: ip4',
}
/** Before the address in what it is asked. */
const SCHEME: Readonly<Partial<Record<BlackboxKind, string>>> = {
  http: 'http://',
  https: 'https://',
  'https-rsa': 'https://',
}

export async function startBlackbox(folder: string, options: BlackboxOptions): Promise<RunningPeer> {
  const { kind, addresses, port, intervalMs, timeoutMs } = options
  const [listen = 0] = await freePorts(FIRST_PORT, 1)
  const file = join(folder, 'blackbox.yml')
  writeFileSync(file, `modules:\n  bench:\n    timeout: ${timeoutMs}ms\n    ${PROBER[kind]}\n`)
  const exporter = spawn(
    'prometheus-blackbox-exporter',
    [`--config.file=${file}`, `--web.listen-address=127.0.0.1:${listen}`, '--log.level=error'],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, GOMAXPROCS: '1' } },
  )
  await answering(`http://127.0.0.1:${listen}/-/healthy`)
  const client = fork(fileURLToPath(new URL('./blackbox-client.js', import.meta.url)))
  const targets = addresses.map((address) =>
    kind === 'ping' ? address : `${SCHEME[kind] ?? ''}${address}:${port}`,
  )
  client.send({ port: listen, targets, intervalMs } satisfies BlackboxLoad)
  return {
    pid: exporter.pid ?? 0,
    stop: async () => {
      const gone = [once(client, 'exit'), once(exporter, 'exit')]
      client.kill('SIGKILL')
      exporter.kill('SIGKILL')
      await Promise.all(gone)
    },
  }
}

async function answering(url: string): Promise<void> {
  const deadline = performance.now() + START_MS
  for (;;) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 200) return
    if (performance.now() > deadline) throw new Error('prometheus-blackbox-exporter does not answer')
    await wait(50)
  }
}
