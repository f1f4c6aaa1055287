/** Metrics of the relay of sites that reach the service over NATS. */
import type { MetricGroup } from './metric-row.ts'

export const RELAYING = {
  hm_relay_active: {
    type: 'gauge',
    labels: ['site'],
    help: 'Relays that work for a site; of all relays one does',
    advice: 'Sum below 1 for a minute: the site is not heard. Start a relay, or read its log.',
  },
  hm_relay_waiting_messages: {
    type: 'gauge',
    labels: ['site'],
    help: 'Messages with results of a site that are stored in NATS and not in the database',
    advice:
      'Growing: the database is away or too slow for the relay. Nothing is lost while the stream has room.',
  },
  hm_relay_messages_total: {
    type: 'counter',
    labels: ['site', 'kind'],
    help: 'Messages with results of a site that were taken: verdicts, certificates, claims and releases of shards',
    advice: 'Many claims: probers of the site come and go, or cannot keep their leases.',
  },
  hm_relay_rows_total: {
    type: 'counter',
    labels: ['site', 'what'],
    help: 'Verdicts of a site that were written, were put off for a lock, were fenced or refused, or whose times were corrected',
    advice:
      'fenced: a prober wrote after another one had its shards. refused: the log names the member. corrected: set the clock of the site.',
  },
  hm_relay_snapshot_bytes_total: {
    type: 'counter',
    labels: ['site'],
    help: 'Bytes of configuration that were sent to a site',
    advice: 'Every shard is sent once in 45 s: compare it with the rate of the way to the site.',
  },
} as const satisfies MetricGroup['metrics']
