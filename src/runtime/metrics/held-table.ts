/** Metrics of probers that hold results on disk while NATS is away. */
import type { MetricGroup } from './metric-row.ts'

export const HOLDING = {
  hm_held_members: {
    type: 'gauge',
    labels: [],
    help: 'Members whose results are held in HM_SITE_DIR because NATS is away or full',
    advice: 'Above 0 for minutes: look at NATS and at the way to it. At 200000 the rest stays in memory.',
  },
  hm_held_damaged_total: {
    type: 'counter',
    labels: [],
    help: 'Damaged pieces of files of held results, which were passed over',
    advice:
      'After a host has lost its power: results of its last second are lost. Otherwise: look at the disk.',
  },
  hm_held_disk_failures_total: {
    type: 'counter',
    labels: [],
    help: 'Times that the disk of HM_SITE_DIR has refused results, which are then held in memory',
    advice: 'Rising: the disk is full or broken. What is held is lost if the prober ends.',
  },
} as const satisfies MetricGroup['metrics']

export const HELD_GROUP: MetricGroup = {
  title: 'Probers of sites over NATS',
  about: 'Probers with `HM_NATS_URL` and `HM_SITE_DIR` have these. Aggregate them with `sum`.',
  metrics: HOLDING,
}
