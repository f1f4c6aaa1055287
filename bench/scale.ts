/**
 * `node dist/bench/scale.js [--members 10000000] [--sites 40] [--probers 200] [--interval 10] [--shards 256] …`
 *
 * What a service of that size carries, without running it: messages and bytes over NATS, rows of PostgreSQL, cores and memory, in
 * steady state, when a prober is killed, and when a site fails; then what reaches its limit first, and with how many members. Each
 * member is probed from one site, half open.
 *
 * Real: the messages (packed from one shard with ids and results of its own, and measured), and the ownership of shards (in
 * virtual time, over leases in memory). Given: what one probe and one member of a prober cost, and how many verdicts a relay writes
 * (docs/performance.md). The rest is arithmetic (scale-model.ts). Not in it: the servers of NATS, and what PostgreSQL reads for
 * snapshots. A site has 256 shards; with another number the arithmetic says what that would change, and a takeover stays as it is.
 */
import { SHARD_COUNT, SHARD_LEASE_MS_DEFAULT } from '../src/domain/limits.ts'
import { commandLine } from './command-line.ts'
import { limitsOf, loadsOf, massFailureOf, type Measured, type Size } from './scale-model.ts'
import { samplesOf } from './scale-samples.ts'
import { takeover } from './scale-takeover.ts'

const values = commandLine('node dist/bench/scale.js [options]', {
  members: '10000000',
  sites: '40',
  probers: '200',
  interval: '10',
  shards: '256',
  'per-pool': '50',
  changes: '100',
  'probe-us': '11.4',
  'member-bytes': '2144',
  verdicts: '6000',
})

const size: Size = {
  members: Number(values.members),
  sites: Number(values.sites),
  probers: Number(values.probers),
  intervalSeconds: Number(values.interval),
  shards: Number(values.shards),
  changesPerSecond: Number(values.changes),
}
const measured: Measured = {
  probeUs: Number(values['probe-us']),
  proberBytes: Number(values['member-bytes']),
  verdictsPerSecond: Number(values.verdicts),
}
/** More checks than these say nothing new of one check. */
const SAMPLED_MAX = 4000

const checksPerShard = Math.max(1, Math.round(size.members / size.sites / size.shards))
const samples = await samplesOf(Math.min(SAMPLED_MAX, checksPerShard), Number(values['per-pool']))
const loads = loadsOf(size, samples, measured)
const failure = massFailureOf(size, samples, measured)

const round = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en').replaceAll(',', ' ') : value.toPrecision(3)
const line = (what: string, ...cells: readonly string[]): void =>
  console.log(`${what.padEnd(34)} ${cells.join(', ')}`)
const MB = 1e6

console.log(`one check of a shard with ${checksPerShard}:`)
line(
  '  snapshot',
  `${round(samples.snapshotBytes)} bytes`,
  `packed in ${round(samples.snapshotPackUs)} µs`,
  `unpacked in ${round(samples.snapshotUnpackUs)} µs`,
)
line(
  '  checkpoint',
  `${round(samples.checkpointBytes)} bytes`,
  `${round(samples.checkpointRowBytes)} bytes of a row`,
)
line('  verdict', `${round(samples.verdictBytes)} bytes`)

console.log('\nsteady state:')
line('  probes', `${round(loads.probesPerSecond)}/s`, `${round(loads.proberCores)} cores of probers`)
line(
  '  a prober',
  `${round(loads.membersPerProber)} members`,
  `${round(loads.proberBytes / MB)} MB`,
  `the busiest has ${round(loads.unevenness)} times the mean`,
)
for (const kind of ['snapshots', 'checkpoints', 'verdicts'] as const)
  line(
    `  ${kind}`,
    `${round(loads.messagesPerSecond[kind])} messages/s`,
    `${round(loads.bytesPerSecond[kind] / MB)} MB/s`,
  )
line('  heartbeats', `${round(loads.messagesPerSecond.heartbeats)} messages/s`)
const { checkpoints, verdicts, heartbeats } = loads.rowsPerSecond
line(
  '  PostgreSQL',
  `${round(checkpoints + verdicts + heartbeats)} rows/s`,
  `checkpoints ${round(checkpoints)}`,
  `verdicts ${round(verdicts)}`,
  `heartbeats ${round(heartbeats)}`,
  `${round(loads.checkpointRowBytesPerSecond / MB)} MB/s of checkpoints`,
)
line('  relays', `${round(loads.relayCores)} cores for snapshots`)

const ofSite = Math.max(2, Math.round(size.probers / size.sites))
const took = await takeover({
  probers: ofSite,
  leaseMs: SHARD_LEASE_MS_DEFAULT,
  loadMs: ((size.members / size.sites / SHARD_COUNT) * samples.snapshotUnpackUs) / 1000,
})
console.log(`\none of ${ofSite} probers of a site is killed:`)
line('  every shard has an owner again', `after ${round(took.ownedMs / 1000)} s`)
line('  and its checks are loaded', `after ${round(took.loadedMs / 1000)} s`)

console.log('\na site fails, and no other one contradicts it:')
line(
  '  over NATS',
  `${round(failure.verdicts)} verdicts`,
  `${round(failure.messages)} messages`,
  `${round(failure.bytes / MB)} MB`,
)
line('  PostgreSQL', `${round(failure.rows)} rows`, `the last one after ${round(failure.seconds)} s`)

console.log('\nwhat reaches its limit, the first one first:')
for (const { what, used, limit, unit, membersAtLimit } of limitsOf(size, loads, failure))
  line(`  ${round(membersAtLimit / MB)} M members`, `${what}: ${round(used)} of ${round(limit)} ${unit}`)
