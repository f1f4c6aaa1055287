/**
 * Every variable of the environment that the service reads: its rule, its default as it would be written there, and its
 * sentence in the README's list, which is generated from here.
 */
import Joi from 'joi'
import { parseAddress, parseCidr, parseCidrList } from '../../domain/address/ip-address.ts'
import {
  CANARIES_MAX,
  CHECKPOINT_MS,
  CHECKPOINT_MS_DEFAULT,
  PAGE_MAX,
  IN_FLIGHT_PER_PROJECT,
  IN_FLIGHT_PER_PROJECT_DEFAULT,
  LOCAL_SITE,
  PAGE_MAX_DEFAULT,
  PROBERS,
  PROBES_PER_SECOND_PER_ADDRESS,
  PROBES_PER_SECOND_PER_ADDRESS_DEFAULT,
  PROBES_PER_SECOND_PER_PROJECT,
  PROBES_PER_SECOND_PER_PROJECT_DEFAULT,
  PROBERS_DEFAULT,
  PROJECT_ID_MAX,
  QUOTA,
  QUOTA_DEFAULT,
  type Range,
  SITE_NAME_MAX,
  SHARD_LEASE_MS,
  SHARD_LEASE_MS_DEFAULT,
  TOKEN_CACHE_MS,
  TOKEN_CACHE_MS_DEFAULT,
  EVENT_DAYS,
  EVENT_DAYS_DEFAULT,
  TRANSITION_DAYS,
  TRANSITION_DAYS_DEFAULT,
  TRANSITIONS_PER_MEMBER,
  TRANSITIONS_PER_MEMBER_DEFAULT,
  UDP_MIN_DELAY_SECONDS,
  UDP_MIN_DELAY_SECONDS_DEFAULT,
  UPTIME_DAYS,
  UPTIME_DAYS_DEFAULT,
  VIP_RANGE_DEFAULT,
} from '../../domain/limits.ts'
import { isSiteName } from '../../domain/site/site-name.ts'
import { RBAC_MODES } from '../../domain/types.ts'
import { AMQP_VARIABLES } from './amqp-variables.ts'
import { NATS_VARIABLES } from './nats-variables.ts'
import { DOOR_VARIABLES } from './door-variables.ts'
import { type Endpoint, parseCanary, parseEndpoint } from './endpoint.ts'
import { parseAll, parsed, type Variable } from './variable.ts'

const wholeNumber = (range: Range): Joi.Schema => Joi.number().integer().min(range.min).max(range.max)
const numbers = (range: Range): string => `${range.min}..${range.max}`
const truth = Joi.boolean().truthy('1', 'yes', 'on').falsy('0', 'no', 'off')
const httpUrl = Joi.string()
  .uri({ scheme: ['http', 'https'] })
  .custom((text: string) => text.replace(/\/+$/, ''))

const ENDPOINT = 'address:port or [IPv6 address]:port'
const CANARY = `name:port, ${ENDPOINT}`
const SITE = `at most ${SITE_NAME_MAX} small letters, digits and hyphens`
const listen = parsed(parseEndpoint, ENDPOINT)
const cidrs = parsed(parseCidrList, 'a list of addresses and address/prefix')
function parseCanaries(text: string): readonly Endpoint[] | undefined {
  const endpoints = parseAll(parseCanary)(text)
  return endpoints !== undefined && endpoints.length <= CANARIES_MAX ? endpoints : undefined
}

const quota = (what: string): Variable => ({
  schema: wholeNumber(QUOTA),
  default: String(QUOTA_DEFAULT),
  values: numbers(QUOTA),
  meaning: `${what} that one project may have. -1: unlimited`,
})

/** Of an API that its clients expect at the root. */
const ownListener = (what: string, prefix: string): Variable => ({
  schema: listen,
  values: ENDPOINT,
  meaning: `Where clients of ${what} find its API at the root; it is below \`/${prefix}\` of HM_LISTEN too. Not set: no listener`,
})

/** In the order of the README's list. */
export const VARIABLES = {
  DATABASE_URL: {
    schema: Joi.string().uri({ scheme: ['postgres', 'postgresql'] }),
    values: 'postgresql://user:password@host:port/database',
    meaning:
      'PostgreSQL 13 or newer. If it is not set, `serve` starts an embedded PostgreSQL in HM_DATA_DIR, and `api`, `prober`, `notifier` and `migrate` refuse to start',
    secret: 'url password',
  },
  HM_LISTEN: {
    schema: listen,
    default: '127.0.0.1:9876',
    values: ENDPOINT,
    meaning: 'Where the API listens. Port 0 takes a free port',
  },
  HM_KUMA_LISTEN: ownListener('Kuma', 'kuma'),
  ...DOOR_VARIABLES,
  HM_GREYMATTER_LISTEN: ownListener('Grey Matter', 'greymatter'),
  HM_METRICS_LISTEN: {
    schema: parsed((text) => (text === 'off' ? text : parseEndpoint(text)), `${ENDPOINT}, or off`),
    default: '127.0.0.1:9877',
    values: `${ENDPOINT}, or off`,
    meaning:
      'Where `/metrics` is served (Prometheus text). Under `serve` it has the metrics of all processes of the host. If it is not set and the default port is taken, a free port is used, and the log names it',
  },
  HM_METRICS_POOLS: {
    schema: truth,
    default: 'false',
    values: 'true, false',
    meaning:
      'Whether API processes serve `/metrics/pools` beside `/metrics`: statuses, members and latency of each pool, with ids and names ([docs/metrics.md](docs/metrics.md))',
  },
  HM_METRICS_MEMBERS: {
    schema: truth,
    default: 'false',
    values: 'true, false',
    meaning: 'The same of each member: `/metrics/members`',
  },
  HM_TLS_CERT: {
    schema: Joi.string(),
    values: 'PEM file',
    meaning:
      'Certificate of the API and of `/metrics`, followed by its intermediate certificates. With it, both listeners speak TLS 1.2 or newer. Needs HM_TLS_KEY. [SIGHUP](#in-production) reads both files anew',
  },
  HM_TLS_KEY: {
    schema: Joi.string(),
    values: 'PEM file',
    meaning: 'Private key of HM_TLS_CERT, without a passphrase',
  },
  HM_DATA_DIR: {
    schema: Joi.string(),
    default: './data',
    values: 'folder',
    meaning: 'Holds the embedded PostgreSQL and the keys that the service makes',
  },
  HM_PROBERS: {
    schema: wholeNumber(PROBERS),
    default: String(PROBERS_DEFAULT),
    values: numbers(PROBERS),
    meaning: 'How many prober processes `serve` starts. They share the work with probers on other hosts',
  },
  HM_SITE: {
    schema: parsed((text) => (isSiteName(text) ? text : undefined), SITE),
    default: LOCAL_SITE,
    values: SITE,
    meaning:
      'Where the probers of this host are. Probers of one site share its work. `--site` of `healthmonitor prober` wins',
  },
  HM_SHARD_LEASE_MS: {
    schema: wholeNumber(SHARD_LEASE_MS),
    default: String(SHARD_LEASE_MS_DEFAULT),
    values: `milliseconds, ${numbers(SHARD_LEASE_MS)}`,
    meaning: 'How long a silent prober keeps its shards. Then other probers take them over',
  },
  HM_CHECKPOINT_MS: {
    schema: wholeNumber(CHECKPOINT_MS),
    default: String(CHECKPOINT_MS_DEFAULT),
    values: `milliseconds, ${numbers(CHECKPOINT_MS)}`,
    meaning: 'How often the last probe, latency and counters of members without a change are written',
  },
  HM_TRANSITIONS_DAYS: {
    schema: wholeNumber(TRANSITION_DAYS),
    default: String(TRANSITION_DAYS_DEFAULT),
    values: `days, ${numbers(TRANSITION_DAYS)}`,
    meaning:
      'How long transitions of members are kept. If probers have different values, the shortest counts',
  },
  HM_TRANSITIONS_PER_MEMBER: {
    schema: wholeNumber(TRANSITIONS_PER_MEMBER),
    default: String(TRANSITIONS_PER_MEMBER_DEFAULT),
    values: numbers(TRANSITIONS_PER_MEMBER),
    meaning:
      'How many transitions of one member are kept, the newest ones. If probers have different values, the smallest counts',
  },
  HM_EVENTS_DAYS: {
    schema: wholeNumber(EVENT_DAYS),
    default: String(EVENT_DAYS_DEFAULT),
    values: `days, ${numbers(EVENT_DAYS)}`,
    meaning:
      'How long events are kept for those who come back. If probers have different values, the shortest counts',
  },
  HM_UPTIME_DAYS: {
    schema: wholeNumber(UPTIME_DAYS),
    default: String(UPTIME_DAYS_DEFAULT),
    values: `days, ${numbers(UPTIME_DAYS)}`,
    meaning:
      'How long the daily sums of uptime are kept. If probers have different values, the shortest counts',
  },
  HM_DEFAULT_DIALECT: {
    schema: Joi.valid('elb', 'octavia'),
    default: 'elb',
    values: 'elb, octavia',
    meaning: 'The dialect of the bare paths `/v2.0/…` and `/`',
  },
  HM_AUTH: {
    schema: Joi.valid('none', 'keystone'),
    default: 'none',
    values: 'none, keystone',
    meaning:
      'Who may call. `none`: anybody on this host, with the project from X-Project-Id. `keystone`: holders of a Keystone token',
  },
  HM_KEYSTONE_URL: {
    schema: httpUrl,
    values: 'URL',
    meaning: 'Identity v3 endpoint. Needed with HM_AUTH=keystone',
  },
  HM_KEYSTONE_USERNAME: {
    schema: Joi.string(),
    values: 'text',
    meaning: 'Service account that validates tokens',
  },
  HM_KEYSTONE_PASSWORD: {
    schema: Joi.string(),
    values: 'text',
    meaning: 'Password of the service account',
    secret: 'whole',
  },
  HM_KEYSTONE_PROJECT: { schema: Joi.string(), values: 'text', meaning: 'Project of the service account' },
  HM_KEYSTONE_DOMAIN: {
    schema: Joi.string(),
    default: 'Default',
    values: 'text',
    meaning: 'Domain of the service account and of its project',
  },
  HM_TOKEN_CACHE_MS: {
    schema: wholeNumber(TOKEN_CACHE_MS),
    default: String(TOKEN_CACHE_MS_DEFAULT),
    values: `milliseconds, ${numbers(TOKEN_CACHE_MS)}`,
    meaning: 'How long a validated token is accepted before Keystone is asked again',
  },
  HM_RBAC: {
    schema: Joi.valid(...RBAC_MODES),
    default: 'both',
    values: RBAC_MODES.join(', '),
    meaning:
      "Which roles of a token count: Octavia's load-balancer_*, Keystone's reader and member, or both. The role admin always counts ([both matrices](docs/peers/octavia-rbac.md))",
  },
  HM_DEFAULT_PROJECT: {
    schema: Joi.string()
      .max(PROJECT_ID_MAX)
      .pattern(/^[\w.:-]+$/, 'an id of letters, digits and -_.:'),
    default: 'default',
    values: 'project id',
    meaning: 'With HM_AUTH=none: the project of requests that have no X-Project-Id',
  },
  HM_ALLOW_INSECURE_LISTEN: {
    schema: truth,
    default: 'false',
    values: 'true, false',
    meaning:
      'Allows HM_AUTH=none to listen on other addresses than loopback. Then anybody who reaches the port may do everything',
  },
  HM_TRUSTED_PROXIES: {
    schema: cidrs,
    values: 'addresses and address/prefix',
    meaning: 'Proxies whose X-Forwarded-* headers are trusted',
  },
  HM_PUBLIC_URL: {
    schema: httpUrl,
    values: 'URL',
    meaning: 'Base of the links in answers. If it is not set, the Host header of the request is used',
  },
  HM_NETWORK_READS: {
    schema: truth,
    default: 'false',
    values: 'true, false',
    meaning:
      'With HM_AUTH=keystone: the service itself answers the few reads of the network API that clients make, for clouds without a network service. With HM_AUTH=none it always does',
  },
  HM_VIP_RANGE: {
    schema: parsed(parseCidr, 'address/prefix'),
    default: VIP_RANGE_DEFAULT,
    values: 'address/prefix',
    meaning:
      'A load balancer that was created without an address shows one of this range. Each has its own; it is never routed and never probed',
  },
  HM_PROBE_ALLOW: {
    schema: cidrs,
    values: 'addresses and address/prefix',
    meaning:
      'If it is set, only these may be probed. With HM_AUTH=keystone, loopback may be probed only if it is listed here',
  },
  HM_PROBE_DENY: {
    schema: cidrs,
    values: 'addresses and address/prefix',
    meaning: 'These are never probed. Deny wins over allow',
  },
  HM_WEBHOOK_ALLOW: {
    schema: cidrs,
    values: 'addresses and address/prefix',
    meaning:
      'If it is set, webhooks may be sent to these only. With HM_AUTH=keystone, they are sent to loopback only if it is listed here',
  },
  HM_WEBHOOK_DENY: {
    schema: cidrs,
    values: 'addresses and address/prefix',
    meaning:
      'Webhooks are never sent to these. Deny wins over allow. Names of receivers are resolved, and every address is checked',
  },
  HM_SOURCE_ADDRESSES: {
    schema: parsed(
      parseAll((text) => parseAddress(text)?.canonical),
      'a list of IP addresses',
    ),
    values: 'addresses of this host',
    meaning:
      'Source addresses of probes. If it is not set, the kernel chooses. For SCTP, and for ICMP echoes that are not sent by the batch (`hm_ping_batched`, `hm_udp_after_echo_batched`), the kernel always chooses',
  },
  HM_TLS_DIR: {
    schema: Joi.string(),
    values: 'folder',
    meaning: 'Holds the CA certificates, client certificates and keys that the options of monitors name',
  },
  HM_QUOTA_LOADBALANCER: quota('Load balancers'),
  HM_QUOTA_LISTENER: quota('Listeners'),
  HM_QUOTA_POOL: quota('Pools'),
  HM_QUOTA_MEMBER: quota('Members'),
  HM_QUOTA_HEALTHMONITOR: quota('Health monitors'),
  HM_PAGE_MAX: {
    schema: wholeNumber(PAGE_MAX),
    default: String(PAGE_MAX_DEFAULT),
    values: numbers(PAGE_MAX),
    meaning: 'Most objects on one page of a list, also when the request has no limit',
  },
  HM_PROBES_PER_SECOND_PER_PROJECT: {
    schema: wholeNumber(PROBES_PER_SECOND_PER_PROJECT),
    default: String(PROBES_PER_SECOND_PER_PROJECT_DEFAULT),
    values: numbers(PROBES_PER_SECOND_PER_PROJECT),
    meaning: 'Most probes per second of all monitors of one project together. -1: unlimited',
  },
  HM_IN_FLIGHT_PER_PROJECT: {
    schema: wholeNumber(IN_FLIGHT_PER_PROJECT),
    default: String(IN_FLIGHT_PER_PROJECT_DEFAULT),
    values: numbers(IN_FLIGHT_PER_PROJECT),
    meaning:
      'Most probes in flight of all monitors of one project together, if no member answers: members x timeout / (timeout + delay). A prober never has more probes of one project in flight. -1: unlimited',
  },
  HM_PROBES_PER_SECOND_PER_ADDRESS: {
    schema: wholeNumber(PROBES_PER_SECOND_PER_ADDRESS),
    default: String(PROBES_PER_SECOND_PER_ADDRESS_DEFAULT),
    values: numbers(PROBES_PER_SECOND_PER_ADDRESS),
    meaning:
      'Most probes per second that one prober process starts towards one address. Probes beyond it start later. 0: unlimited',
  },
  HM_ALLOW_PING: {
    schema: truth,
    default: 'true',
    values: 'true, false',
    meaning: 'Whether monitors of type PING may be created',
  },
  HM_UDP_MIN_DELAY: {
    schema: wholeNumber(UDP_MIN_DELAY_SECONDS),
    default: String(UDP_MIN_DELAY_SECONDS_DEFAULT),
    values: `seconds, ${numbers(UDP_MIN_DELAY_SECONDS)}`,
    meaning: 'Shortest delay of UDP-CONNECT monitors in the dialect octavia',
  },
  HM_CANARY: {
    schema: parsed(parseCanaries, `a list of at most ${CANARIES_MAX} times ${CANARY}`),
    values: `list of ${CANARY}`,
    meaning:
      'TCP targets that are always up, at most 16. When most members and all of these targets fail at the same time, the failures are held back for one interval and probed again. Without targets, such a case is only counted and logged as a warning',
  },
  ...AMQP_VARIABLES,
  ...NATS_VARIABLES,
  HM_LOG_LEVEL: {
    schema: Joi.valid('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'info',
    values: 'trace, debug, info, warn, error, fatal, silent',
    meaning: 'Lowest level that is logged. [SIGHUP](#in-production) reads the file anew',
    byFile: true,
  },
} as const satisfies Record<string, Variable>

export type VariableName = keyof typeof VARIABLES
