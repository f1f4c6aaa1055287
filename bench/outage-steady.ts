/** What a large farm does while nothing happens: probes, lateness, CPU and memory (bench/outage.ts). */
import { setTimeout as wait } from 'node:timers/promises'
import type { Db } from '../src/store/connection/database.ts'
import { type Quantiles, lateness, readHistogram } from './histogram.ts'
import type { OutageTarget } from './outage-target.ts'
import { cpuSecondsOf, postgresCpuSeconds, usageOfTree } from './usage.ts'

const DELAYS = 3

export interface SteadyFarm {
  readonly db: Db
  readonly target: OutageTarget
  readonly metricsUrl: string
  /** Of the service. */
  readonly pid: number
  readonly members: number
  readonly delayMs: number
}

export interface Steady {
  readonly seconds: number
  readonly probesPerSecond: number
  readonly plannedPerSecond: number
  readonly skipped: number
  /** Probes that the target may have missed. */
  readonly lost: number
  readonly lateness: Quantiles
  readonly proberCores: number
  readonly microsecondsPerProbe: number
  readonly postgresCores: number
  readonly proberMegabytes: readonly number[]
}

export async function observeSteady(farm: SteadyFarm): Promise<Steady> {
  const probers = usageOfTree(farm.pid).filter(({ name }) => name === 'prober')
  const before = await readings(farm, probers)
  await wait(DELAYS * farm.delayMs)
  const after = await readings(farm, probers)
  const seconds = (after.atMs - before.atMs) / 1000
  const probes = after.probes.count - before.probes.count
  const proberSeconds = after.proberSeconds - before.proberSeconds
  return {
    seconds,
    probesPerSecond: probes / seconds,
    plannedPerSecond: (farm.members * 1000) / farm.delayMs,
    skipped: after.skipped - before.skipped,
    lost: after.probes.lost - before.probes.lost,
    lateness: lateness(before.histogram, after.histogram),
    proberCores: proberSeconds / seconds,
    microsecondsPerProbe: (proberSeconds / probes) * 1e6,
    postgresCores: (after.postgresSeconds - before.postgresSeconds) / seconds,
    proberMegabytes: usageOfTree(farm.pid)
      .filter(({ name }) => name === 'prober')
      .map(({ residentMegabytes }) => residentMegabytes),
  }
}

export function steadyLine(steady: Steady): string {
  const { p50, p99, p999 } = steady.lateness
  const megabytes = steady.proberMegabytes.map((each) => each.toFixed(0)).join(' and ')
  return (
    `steady for ${steady.seconds.toFixed(0)} s: ${steady.probesPerSecond.toFixed(0)} probes/s of ` +
    `${steady.plannedPerSecond.toFixed(0)}, ${steady.skipped} skipped, ${steady.lost} not seen by the target; ` +
    `lateness p50 ${p50} p99 ${p99} p99.9 ${p999}; probers ${steady.proberCores.toFixed(2)} cores, ` +
    `${steady.microsecondsPerProbe.toFixed(1)} us a probe, ${megabytes} MB; PostgreSQL ${steady.postgresCores.toFixed(2)} cores`
  )
}

async function readings(
  { db, target, metricsUrl }: SteadyFarm,
  probers: readonly { readonly pid: number }[],
) {
  const exposition = await (await fetch(metricsUrl)).text()
  const skipped = [...exposition.matchAll(/^hm_probes_skipped_total(?:\{[^}]*\})? (\S+)$/gm)]
  return {
    histogram: readHistogram(exposition, 'hm_schedule_lateness_seconds'),
    skipped: skipped.reduce((sum, [, value]) => sum + Number(value), 0),
    probes: await target.probes(),
    proberSeconds: probers.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0),
    postgresSeconds: (await postgresCpuSeconds(db)) ?? 0,
    atMs: performance.now(),
  }
}
