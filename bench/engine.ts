/**
 * The probe engine under load, with HAProxy beside it:
 *
 *   npm run build && node dist/bench/engine.js [--types tcp,tcp-public,http,http-public,http-reused,http-reused-public,udp,ping] [--members 5000] [--interval 1]
 *     [--timeout 1] [--seconds 20] [--probers 1] [--no-haproxy] [--out FILE]
 *
 * For each type one run: `members` distinct addresses of 127.0.0.0/8, each probed every `interval` seconds by prober processes
 * that are scheduler, state machine, metrics and probers (no PostgreSQL: that is bench/farm.ts), and for TCP and HTTP by
 * an HAProxy with the same targets and the same rate, at the same time. CPU is that of whole processes; what arrived is
 * counted by the target, another HAProxy. Needs `apt-get install haproxy`; PING needs CAP_NET_RAW. Everything is on
 * loopback, in a network namespace of its own where one may be made, and ended by pid. The figures are printed and stored
 * as JSON.
 *
 * `tcp-unwoken` and `tcp-public-unwoken` have a target that is never woken by a connection (it takes a C compiler): waking a
 * process of the same host is charged to the prober, and a remote target has no such price. HAProxy's checks wake nobody:
 *
 * HAProxy's TCP check sends no ACK after the SYN-ACK but an RST (TCP_QUICKACK off), so that no accept ever sees it; its
 * checks are counted by the kernel's count of connections that were given up in SYN_RECV (AttemptFails), which is of the
 * namespace. Without a namespace the count holds whatever else this host does.
 *
 * `-public` is the same by public Node APIs alone (docs/adr/0010-bare-tcp-handle.md). HTTP reused is held against HAProxy's new connections: HAProxy keeps none between checks before 3.2.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { NEW_STARTS_PER_SECOND } from '../src/domain/limits.ts'
import type { MonitorType } from '../src/domain/types.ts'
import { LATENESS_STEP_MS, type ProberSample, type SampleRequest, type Setup } from './engine-prober.ts'
import { startAcceptTarget } from './accept-target.ts'
import { type HaProxy, startPeer, startTarget } from './haproxy.ts'
import { cpuSecondsOf } from './usage.ts'

interface Kind {
  readonly type: MonitorType
  readonly isReused: boolean
  readonly isPublicOnly?: boolean
  readonly peer: 'tcp' | 'http' | undefined
  readonly counted: 'connections' | 'requests' | 'datagrams' | undefined
  /** Probes go to a target that is never woken (accept-target.c). */
  readonly isUnwoken?: boolean
}

const TCP = { type: 'TCP', isReused: false, peer: 'tcp', counted: 'connections' } as const
const HTTP = { type: 'HTTP', isReused: false, peer: 'http', counted: 'requests' } as const

const KINDS: Readonly<Record<string, Kind>> = {
  tcp: TCP,
  'tcp-public': { ...TCP, isPublicOnly: true },
  'tcp-unwoken': { ...TCP, isUnwoken: true },
  'tcp-public-unwoken': { ...TCP, isPublicOnly: true, isUnwoken: true },
  http: HTTP,
  'http-public': { ...HTTP, isPublicOnly: true },
  'http-reused': { ...HTTP, isReused: true },
  'http-reused-public': { ...HTTP, isReused: true, isPublicOnly: true },
  udp: { type: 'UDP-CONNECT', isReused: false, peer: undefined, counted: 'datagrams' },
  ping: { type: 'PING', isReused: false, peer: undefined, counted: undefined },
}

const OUR_PORT = 18_081
const PEER_PORT = 18_082
/** For profiles: `BENCH_NODE_FLAGS='--cpu-prof --cpu-prof-dir=/tmp/profiles'`. */
const NODE_FLAGS = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []

const { values } = parseArgs({
  allowNegative: true,
  options: {
    types: {
      type: 'string',
      default: Object.keys(KINDS)
        .filter((name) => !name.endsWith('-unwoken'))
        .join(','),
    },
    members: { type: 'string', default: '5000' },
    interval: { type: 'string', default: '1' },
    timeout: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    probers: { type: 'string', default: '1' },
    haproxy: { type: 'boolean', default: true },
    out: { type: 'string', default: fileURLToPath(new URL('engine.json', import.meta.url)) },
  },
})
const members = Number(values.members)
const seconds = Number(values.seconds)
const intervalSeconds = Number(values.interval)

export interface Figures {
  readonly type: string
  readonly members: number
  readonly probesPerSecond: number
  readonly cpuMicrosecondsPerProbe: number
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Reachable bytes per member after a collection, and growth of the resident set per member. */
  readonly bytesPerMember: number
  readonly residentBytesPerMember: number
  readonly descriptors: number
  readonly gcShare: number
  readonly outcomes: Readonly<Record<string, number>>
  /** What the target counted for each probe that was started. */
  readonly arrivedPerProbe: number | undefined
  readonly haproxy: { readonly checksPerSecond: number; readonly cpuMicrosecondsPerCheck: number } | undefined
  /** Our CPU per probe, HAProxy = 1. */
  readonly ratio: number | undefined
}

async function main(): Promise<void> {
  const results: Figures[] = []
  for (const name of values.types.split(',')) {
    const kind = KINDS[name]
    if (kind === undefined) throw new Error(`no type ${name}: ${Object.keys(KINDS).join(', ')}`)
    results.push(await run(name, kind))
    printFigures(results.at(-1)!)
  }
  const about = {
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model,
    options: values,
  }
  writeFileSync(values.out, `${JSON.stringify({ ...about, results }, undefined, 2)}\n`)
  console.log(`stored in ${values.out}`)
}

async function run(name: string, kind: Kind): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-bench-'))
  const addresses = Array.from(
    { length: members },
    (_, i) => `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`,
  )
  const peerKind = values.haproxy ? kind.peer : undefined
  const endings: (() => void)[] = [() => rmSync(folder, { recursive: true, force: true })]
  try {
    const target = await startTargetOf(kind, folder, endings)
    const children = await startProbers(kind, addresses, target.port, endings)
    const processes = children.map(({ child }) => child)
    const empty = await samplesOf(processes, 'sample of what is reachable')
    for (const { child, setup } of children) child.send(setup)
    let peer: HaProxy | undefined
    if (peerKind !== undefined) {
      const times = { intervalMs: intervalSeconds * 1000, timeoutMs: Number(values.timeout) * 1000 }
      peer = await startPeer(folder, { kind: peerKind, addresses, port: PEER_PORT, ...times })
      endings.push(peer.stop)
    }
    await wait((members / NEW_STARTS_PER_SECOND + intervalSeconds + 2) * 1000)
    const measure = async (request: SampleRequest) => ({
      probers: await samplesOf(processes, request),
      peerCpu: peer === undefined ? 0 : cpuSecondsOf(peer.pid),
      ours: await target.arrived(OUR_PORT),
      theirs: await target.arrived(PEER_PORT),
    })
    const before = await measure('sample')
    await wait(seconds * 1000)
    const after = await measure('sample of what is reachable')
    return figures(name, empty, before, after)
  } finally {
    for (const end of endings.reverse()) end()
  }
}

interface Measured {
  readonly probers: readonly ProberSample[]
  readonly peerCpu: number
  readonly ours: number
  readonly theirs: number
}

function figures(type: string, empty: readonly ProberSample[], before: Measured, after: Measured): Figures {
  const grown = (read: (sample: ProberSample) => number, from = before.probers): number =>
    after.probers.reduce((sum, sample, i) => sum + read(sample) - read(from[i]!), 0)
  const elapsedSeconds = grown((sample) => sample.atMs) / 1000 / after.probers.length
  const started = grown((sample) => sample.started)
  const cpu = grown((sample) => sample.cpuMicroseconds) / started
  const checks = after.theirs - before.theirs
  const peerCpu = ((after.peerCpu - before.peerCpu) * 1e6) / checks
  const outcomes: Record<string, number> = {}
  for (const reason of new Set(after.probers.flatMap((sample) => Object.keys(sample.outcomes))))
    outcomes[reason] = grown((sample) => sample.outcomes[reason] ?? 0)
  return {
    type,
    members,
    probesPerSecond: started / elapsedSeconds,
    cpuMicrosecondsPerProbe: cpu,
    latenessMs: quantiles(
      after.probers[0]!.lateness.map((_, step) => grown((sample) => sample.lateness[step]!)),
    ),
    bytesPerMember: grown((sample) => sample.liveBytes, empty) / members,
    residentBytesPerMember: grown((sample) => sample.residentBytes, empty) / members,
    descriptors: after.probers.reduce((sum, sample) => sum + sample.descriptors, 0),
    gcShare: grown((sample) => sample.gcMs) / 1000 / elapsedSeconds / after.probers.length,
    outcomes,
    arrivedPerProbe: after.ours === before.ours ? undefined : (after.ours - before.ours) / started,
    haproxy:
      checks === 0
        ? undefined
        : { checksPerSecond: checks / elapsedSeconds, cpuMicrosecondsPerCheck: peerCpu },
    ratio: checks === 0 ? undefined : cpu / peerCpu,
  }
}

/** Upper bounds of the steps in which the quantiles fall. */
function quantiles(steps: readonly number[]): Figures['latenessMs'] {
  const count = steps.reduce((sum, n) => sum + n, 0)
  const upTo = (share: number): number => {
    let seen = 0
    return (steps.findIndex((n) => (seen += n) >= share * count && seen > 0) + 1) * LATENESS_STEP_MS
  }
  return { p50: upTo(0.5), p99: upTo(0.99), max: upTo(1) }
}

async function startTargetOf(
  { counted, isUnwoken = false }: Kind,
  folder: string,
  endings: (() => void)[],
): Promise<{ readonly port: number; arrived(port: number): Promise<number> }> {
  if (counted === undefined) return { port: 0, arrived: () => Promise.resolve(0) }
  if (counted === 'datagrams') {
    const child = fork(fileURLToPath(new URL('./udp-target.js', import.meta.url)))
    endings.push(() => void child.kill('SIGKILL'))
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return {
      port,
      arrived: async (asked) => {
        if (asked !== OUR_PORT) return 0
        child.send('count')
        const [{ received }] = (await once(child, 'message')) as [{ received: number }]
        return received
      },
    }
  }
  const ports = { theirs: PEER_PORT, ...(isUnwoken ? {} : { ours: OUR_PORT }) }
  const target = await startTarget(folder, ports)
  endings.push(target.stop)
  const unwoken = isUnwoken ? await startAcceptTarget(folder, OUR_PORT) : undefined
  if (unwoken !== undefined) endings.push(unwoken.stop)
  return {
    port: OUR_PORT,
    arrived: async (port) => {
      if (port === OUR_PORT && unwoken !== undefined) return await unwoken.accepted()
      if (port === OUR_PORT) return (await target.arrivals('ours'))[counted]
      return counted === 'connections' ? givenUpHandshakes() : (await target.arrivals('theirs'))[counted]
    },
  }
}

/** AttemptFails of this network namespace (RFC 4022 tcpAttemptFails). */
function givenUpHandshakes(): number {
  const [names = '', numbers = ''] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
  return Number(numbers.split(' ')[names.split(' ').indexOf('AttemptFails')])
}

/** Runs this program again in a network namespace; false where none may be made, or when this is one already. */
function isRunInNamespace(): boolean {
  const inside = 'HM_BENCH_IN_NAMESPACE'
  const setup = ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
  if (process.env[inside] !== undefined || spawnSync('unshare', [...setup, 'true']).status !== 0) return false
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const { status } = spawnSync('unshare', [...setup, ...command], {
    stdio: 'inherit',
    env: { ...process.env, [inside]: '1' },
  })
  process.exitCode = status ?? 1
  return true
}

async function startProbers(
  kind: Kind,
  addresses: readonly string[],
  port: number,
  endings: (() => void)[],
): Promise<readonly { readonly child: ChildProcess; readonly setup: Setup }[]> {
  const count = Number(values.probers)
  const common = { port, intervalSeconds, timeoutSeconds: Number(values.timeout), membersPerPool: 20 }
  return Array.from({ length: count }, (_, i) => {
    const child = fork(fileURLToPath(new URL('./engine-prober.js', import.meta.url)), {
      execArgv: ['--expose-gc', ...NODE_FLAGS],
    })
    endings.push(() => child.disconnect())
    const mine = addresses.filter((_address, n) => n % count === i)
    const { type, isReused, isPublicOnly = false } = kind
    return { child, setup: { ...common, type, isReused, isPublicOnly, addresses: mine } }
  })
}

async function samplesOf(
  children: readonly ChildProcess[],
  request: SampleRequest,
): Promise<readonly ProberSample[]> {
  return await Promise.all(
    children.map(async (child) => {
      child.send(request)
      const [sample] = (await once(child, 'message')) as [ProberSample]
      return sample
    }),
  )
}

function printFigures(figures: Figures): void {
  const { latenessMs: late, haproxy } = figures
  console.log(`\n${figures.type}: ${figures.members} members, ${figures.probesPerSecond.toFixed(0)} probes/s`)
  console.log(
    `  CPU ${figures.cpuMicrosecondsPerProbe.toFixed(1)} us/probe, lateness p50 ${late.p50} p99 ${late.p99} max ${late.max} ms, ` +
      `GC ${(figures.gcShare * 100).toFixed(1)} %`,
  )
  console.log(
    `  ${figures.bytesPerMember.toFixed(0)} bytes/member reachable, ${figures.residentBytesPerMember.toFixed(0)} resident, ` +
      `${figures.descriptors} descriptors, arrived per probe ${figures.arrivedPerProbe?.toFixed(3) ?? '-'}, ` +
      JSON.stringify(figures.outcomes),
  )
  if (haproxy !== undefined)
    console.log(
      `  HAProxy: ${haproxy.checksPerSecond.toFixed(0)} checks/s, ${haproxy.cpuMicrosecondsPerCheck.toFixed(1)} us/check; ` +
        `ratio ${figures.ratio?.toFixed(2)}`,
    )
}

if (!isRunInNamespace()) await main()
