/**
 * Whether the memory of probers stays flat: whole prober processes with PostgreSQL for half an hour, with a sample of their
 * resident bytes and of their heap every few seconds, and the slope of each at the end.
 *
 *   npm run build && node dist/bench/memory.js [--type tcp-half] [--members 50000] [--interval 1] [--timeout 1]
 *     [--probers 1] [--minutes 30] [--warm-up-seconds 120] [--every-seconds 10] [--out FILE]
 *
 * Names of types are in engine-kinds.ts. The samples begin when every member is ONLINE and the warm-up is over: the rings of
 * recent results are full by then, code is compiled, and the heap has the size that it needs. No collection is asked for
 * between the first sample and the last. "Reachable" is what is left after a collection before the first and after the
 * last one. Slopes: trend.ts. Exits with 1 when resident bytes or heap grow, or a probe did not pass.
 */
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { commandLine } from './command-line.ts'
import type { Case } from './engine-case.ts'
import { kindOf } from './engine-kinds.ts'
import type { ProberSample } from './engine-prober.ts'
import { allOnline, begin, load, samplesOf, type Started, withProbers } from './engine-probers.ts'
import { isRunInNamespace } from './namespace.ts'
import { openCountingPostgres } from './postgres.ts'
import { progress } from './progress.ts'
import { isGrowing, type Trend, trendOf } from './trend.ts'
import { hostUsage } from './usage.ts'

const values = commandLine('node dist/bench/memory.js [options]', {
  type: 'tcp-half',
  members: '50000',
  interval: '1',
  timeout: '1',
  probers: '1',
  minutes: '30',
  'warm-up-seconds': '120',
  'every-seconds': '10',
  out: fileURLToPath(new URL('memory.json', import.meta.url)),
})
const MEGABYTE = 1024 * 1024

/** All probers together. */
interface MemorySample {
  readonly atSeconds: number
  readonly residentBytes: number
  readonly heapBytes: number
  readonly started: number
}

interface Measured {
  readonly samples: readonly MemorySample[]
  readonly reachableBytes: { readonly before: number; readonly after: number }
  readonly outcomes: Readonly<Record<string, number>>
  readonly othersShare: number
}

function caseOf(): Case {
  return {
    name: values.type,
    kind: kindOf(values.type),
    members: Number(values.members),
    intervalSeconds: Number(values.interval),
    timeoutSeconds: Number(values.timeout),
    probers: Number(values.probers),
    seconds: Number(values.minutes) * 60,
    warmUpSeconds: Number(values['warm-up-seconds']),
    peer: undefined,
    peerMembers: 0,
    target: 'node',
  }
}

async function measure(what: Case, started: Started, port: number): Promise<Measured> {
  await begin(what, started)
  await load(what, started, port)
  await allOnline(what, started.probers)
  await wait(what.warmUpSeconds * 1000)
  const before = await samplesOf(started.probers, 'sample of what is reachable')
  const hostBefore = hostUsage(process.pid)
  const samples = await watched(what, started)
  const after = await samplesOf(started.probers, 'sample of what is reachable')
  const host = hostUsage(process.pid)
  const others = host.allSeconds - hostBefore.allSeconds - (host.treeSeconds - hostBefore.treeSeconds)
  return {
    samples,
    reachableBytes: { before: sum(before, 'liveBytes'), after: sum(after, 'liveBytes') },
    outcomes: outcomesBetween(before, after),
    othersShare: Math.max(0, others) / what.seconds / cpus().length,
  }
}

/** A sample every so often, until the time is over. */
async function watched({ seconds }: Case, { probers }: Started): Promise<readonly MemorySample[]> {
  const everyMs = Number(values['every-seconds']) * 1000
  const startMs = performance.now()
  const samples: MemorySample[] = []
  for (let n = 0; n * everyMs <= seconds * 1000; n++) {
    await wait(Math.max(0, startMs + n * everyMs - performance.now()))
    const taken = await samplesOf(probers, 'sample')
    const sample = {
      atSeconds: (performance.now() - startMs) / 1000,
      residentBytes: sum(taken, 'residentBytes'),
      heapBytes: sum(taken, 'liveBytes'),
      started: sum(taken, 'started'),
    }
    samples.push(sample)
    progress.show(
      `${sample.atSeconds.toFixed(0)} of ${seconds} s, ${megabytes(sample.residentBytes)} resident`,
    )
  }
  return samples
}

function sum(samples: readonly ProberSample[], name: 'liveBytes' | 'residentBytes' | 'started'): number {
  return samples.reduce((total, sample) => total + sample[name], 0)
}

function outcomesBetween(
  before: readonly ProberSample[],
  after: readonly ProberSample[],
): Readonly<Record<string, number>> {
  const total: Record<string, number> = {}
  for (const [i, { outcomes }] of after.entries())
    for (const [reason, count] of Object.entries(outcomes))
      total[reason] = (total[reason] ?? 0) + count - (before[i]?.outcomes[reason] ?? 0)
  return Object.fromEntries(Object.entries(total).filter(([, count]) => count > 0))
}

function megabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`
}

interface Series {
  readonly first: number
  readonly last: number
  readonly least: number
  readonly most: number
  readonly perSecond: Trend
  readonly isGrowing: boolean
}

function seriesOf(samples: readonly MemorySample[], name: 'residentBytes' | 'heapBytes'): Series {
  const series = samples.map((sample) => ({ atSeconds: sample.atSeconds, value: sample[name] }))
  const numbers = series.map(({ value }) => value)
  return {
    first: numbers[0] ?? 0,
    last: numbers.at(-1) ?? 0,
    least: Math.min(...numbers),
    most: Math.max(...numbers),
    perSecond: trendOf(series),
    isGrowing: isGrowing(series),
  }
}

function printSeries(name: string, { first, last, least, most, perSecond, isGrowing: grows }: Series): void {
  const kilobytes = (perSecondBytes: number): string => ((perSecondBytes * 60) / 1024).toFixed(1)
  console.log(
    `${name}: first ${megabytes(first)}, last ${megabytes(last)}, ${megabytes(least)} to ${megabytes(most)}; ` +
      `slope ${kilobytes(perSecond.slope)} KB a minute ` +
      `(${kilobytes(perSecond.least)} to ${kilobytes(perSecond.most)}): ${grows ? 'GROWS' : 'flat'}`,
  )
}

function report(what: Case, measured: Measured): void {
  const { samples, reachableBytes, outcomes, othersShare } = measured
  const resident = seriesOf(samples, 'residentBytes')
  const heap = seriesOf(samples, 'heapBytes')
  const probes = (samples.at(-1)?.started ?? 0) - (samples[0]?.started ?? 0)
  const seconds = (samples.at(-1)?.atSeconds ?? 0) - (samples[0]?.atSeconds ?? 0)
  console.log(
    `${what.name}, ${what.members} members every ${what.intervalSeconds} s: ${probes} probes in ${seconds.toFixed(0)} s, ` +
      `${(probes / seconds).toFixed(0)}/s; ${samples.length} samples; ${JSON.stringify(outcomes)}; ` +
      `others took ${(othersShare * 100).toFixed(0)} % of the host`,
  )
  printSeries('resident', resident)
  printSeries('heap', heap)
  const { before, after } = reachableBytes
  console.log(`reachable: ${megabytes(before)} before, ${megabytes(after)} after`)
  const hasOnlyPassed = Object.keys(outcomes).join() === 'PASSED'
  if (resident.isGrowing || heap.isGrowing || !hasOnlyPassed) process.exitCode = 1
  const about = { at: new Date().toISOString(), node: process.version, options: values }
  writeFileSync(
    values.out,
    `${JSON.stringify({ ...about, probes, seconds, resident, heap, ...measured }, undefined, 2)}\n`,
  )
  console.log(`stored in ${values.out}`)
}

async function main(): Promise<void> {
  const what = caseOf()
  const postgres = what.kind.hasPostgres ? await openCountingPostgres() : undefined
  try {
    const measured = await withProbers(
      what,
      postgres,
      async (parts) => await measure(what, parts, parts.target.port),
    )
    report(what, measured)
  } finally {
    await postgres?.stop()
  }
}

if (!isRunInNamespace()) await main()
