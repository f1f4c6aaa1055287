/**
 * Every name that probers and the relay use in NATS. All of a site is named by the site, so that rules of accounts or of
 * users can hold a site to its own (docs/sites-nats.md lists what either may use).
 *
 * The relay makes the streams and the bucket. A prober creates and deletes nothing but consumers that only read.
 */

/** JetStream's domain of a hub as deploy/nats sets it up. */
export const HUB_DOMAIN = 'hub'
/** Inboxes of probers and of the relay: permissions tell them apart. */
export const PROBER_INBOX = '_INBOX_prober'
export const RELAY_INBOX = '_INBOX_relay'

/** What a prober asks of the relay, because only the database knows it. */
export const QUESTIONS = ['parents', 'witnesses', 'probe-requests', 'probe-answers'] as const
export type Question = (typeof QUESTIONS)[number]

export interface SiteNames {
  /** The last snapshot of each shard, in parts. */
  readonly configStream: string
  readonly configSubjects: string
  readonly config: (shard: number, part: number) => string
  /** Verdicts, certificates, claims and releases of shards, in the order that counts. */
  readonly resultStream: string
  readonly resultSubjects: string
  readonly result: (shard: number) => string
  /** The last checkpoint of each shard, in parts. */
  readonly checkpointStream: string
  readonly checkpointSubjects: string
  readonly checkpoint: (shard: number, part: number) => string
  /** The key-value bucket with the leases of shards, the heartbeats of probers and the lease of the relay. */
  readonly leaseBucket: string
  /** Requests to the relay; they are not stored. */
  readonly ask: (question: Question) => string
  readonly asked: string
  /** The relay tells that a shard has requests for a probe; not stored. */
  readonly probeRequested: string
}

/** Keys of the bucket. */
export const shardKey = (shard: number): string => `shard.${shard}`
export const proberKey = (id: string): string => `prober.${id}`
export const RELAY_KEY = 'relay'
/** Up to where the relay has brought results into the database. */
export const POSITION_KEY = 'position'

/** `site`: a name that a site can have. */
export function namesOf(site: string): SiteNames {
  const below = `hm.${site}`
  return {
    configStream: `hm-config-${site}`,
    configSubjects: `${below}.config.>`,
    config: (shard, part) => `${below}.config.${shard}.${part}`,
    resultStream: `hm-results-${site}`,
    resultSubjects: `${below}.result.>`,
    result: (shard) => `${below}.result.${shard}`,
    checkpointStream: `hm-checkpoints-${site}`,
    checkpointSubjects: `${below}.checkpoint.>`,
    checkpoint: (shard, part) => `${below}.checkpoint.${shard}.${part}`,
    leaseBucket: `hm-leases-${site}`,
    ask: (question) => `${below}.ask.${question}`,
    asked: `${below}.ask.*`,
    probeRequested: `${below}.notify.probe-requests`,
  }
}

/** The shard in a subject of configuration, results or checkpoints. */
export function shardOf(subject: string): number {
  return Number(subject.split('.')[3])
}

/**
 * What a prober of a site publishes to, with JetStream's API below `api` (`$JS.API`, or `$JS.hub.API` where the domain is
 * `hub`). The permissions of its credential are these.
 */
export function proberPublishes(site: string, api = `$JS.${HUB_DOMAIN}.API`): readonly string[] {
  const names = namesOf(site)
  const bucket = `KV_${names.leaseBucket}`
  const keys = api === '$JS.API' ? '$KV' : `${api}.$KV`
  return [
    names.resultSubjects,
    names.checkpointSubjects,
    names.asked,
    `${keys}.${names.leaseBucket}.shard.*`,
    `${keys}.${names.leaseBucket}.prober.*`,
    ...[bucket, names.configStream].flatMap((stream) => [
      `${api}.STREAM.INFO.${stream}`,
      `${api}.CONSUMER.CREATE.${stream}.>`,
      `${api}.CONSUMER.INFO.${stream}.*`,
      `${api}.CONSUMER.DELETE.${stream}.*`,
      `${api}.CONSUMER.MSG.NEXT.${stream}.*`,
    ]),
    `${api}.STREAM.INFO.${names.resultStream}`,
    `${api}.STREAM.INFO.${names.checkpointStream}`,
    `${api}.DIRECT.GET.${names.configStream}.>`,
    `${api}.DIRECT.GET.${names.checkpointStream}.>`,
    `${api}.DIRECT.GET.${names.resultStream}`,
    '$JS.FC.>',
  ]
}

/** What a prober of a site subscribes to. */
export function proberSubscribes(site: string): readonly string[] {
  return [`${PROBER_INBOX}.>`, namesOf(site).probeRequested]
}
