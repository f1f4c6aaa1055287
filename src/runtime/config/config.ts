/**
 * The configuration: read from the environment once, checked as a whole with every problem reported together, frozen.
 * Secrets do not leave it by accident: JSON and inspect show them as `***`.
 */
import { resolve } from 'node:path'
import { inspect } from 'node:util'
import Joi from 'joi'
import type { Cidr } from '../../domain/address/ip-address.ts'
import type { AmqpSettings, Rbac, Resource } from '../../domain/types.ts'
import type { LogLevel } from '../output/log.ts'
import { StartRefusal } from '../start-refusal.ts'
import type { Endpoint } from './endpoint.ts'
import { fileVariable, mayBeInFile, withSettingFiles } from './setting-files.ts'
import type { Variable } from './variable.ts'
import { VARIABLES, type VariableName } from './variables.ts'

/** Paths of the certificate and the key of the listeners. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface NatsConfig {
  /** Servers, with commas. */
  readonly url: string
  /** Those of the relay. */
  readonly sites: readonly string[]
  /** Of the probers of this host. */
  readonly credentials?: string
  /** Of the relay: SITE.creds. */
  readonly credentialsDir?: string
  /** Holds what the probers of this host cannot send; absolute path. */
  readonly heldDir?: string
  readonly caFile?: string
  /** Absent: JetStream has no domain. */
  readonly domain?: string
}

export interface KeystoneConfig {
  readonly url: string
  readonly username: string
  readonly password: string
  readonly project: string
  readonly domain: string
}

export interface Config {
  /** Absent: `serve` starts an embedded PostgreSQL. */
  readonly databaseUrl?: string
  readonly listen: Endpoint
  /** Listeners that belong to one API each, by the name of its door. */
  readonly doorListens: Readonly<Record<string, Endpoint>>
  /** The version that clients of a door get as the server's, by the door's name. */
  readonly doorVersions: Readonly<Record<string, string>>
  /** Absent: no metrics listener. */
  readonly metricsListen?: Endpoint
  /** Whether `/metrics/pools` and `/metrics/members` are served. */
  readonly metricsPages: { readonly pools: boolean; readonly members: boolean }
  /** Of both listeners; absent: they speak plain HTTP. */
  readonly tls?: TlsFiles
  /** Absolute path. */
  readonly dataDir: string
  readonly probers: number
  /** Where the probers of this host are. */
  readonly site: string
  readonly shardLeaseMs: number
  readonly checkpointMs: number
  readonly transitionDays: number
  readonly eventDays: number
  readonly uptimeDays: number
  readonly transitionsPerMember: number
  readonly defaultDialect: string
  readonly auth: 'none' | 'keystone'
  /** Present with auth `keystone`. */
  readonly keystone?: KeystoneConfig
  readonly tokenCacheMs: number
  readonly rbac: Rbac
  readonly defaultProject: string
  readonly allowInsecureListen: boolean
  readonly trustedProxies: readonly Cidr[]
  /** Without a slash at its end. */
  readonly publicUrl?: string
  readonly networkReads: boolean
  readonly vipRange: Cidr
  readonly probeAllow: readonly Cidr[]
  readonly probeDeny: readonly Cidr[]
  readonly webhookAllow: readonly Cidr[]
  readonly webhookDeny: readonly Cidr[]
  readonly sourceAddresses: readonly string[]
  readonly tlsDir?: string
  /** -1 = unlimited. */
  readonly quotas: Readonly<Record<Resource, number>>
  /** 0 = unlimited. */
  readonly probesPerSecondPerAddress: number
  /** -1 = unlimited. */
  readonly probesPerSecondPerProject: number
  /** -1 = unlimited. */
  readonly inFlightPerProject: number
  readonly pageMax: number
  readonly allowPing: boolean
  readonly udpMinDelaySeconds: number
  readonly canaries: readonly Endpoint[]
  /** Absent: no site is reached over NATS. */
  readonly nats?: NatsConfig
  /** Absent: events do not go to a message bus. */
  readonly amqp?: AmqpSettings
  readonly logLevel: LogLevel
}

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Parses the environment, and reads the files that it names with NAME_FILE. An empty value counts as not set. Throws
 * one StartRefusal that names every problem.
 */
export function parseConfig(environment: Environment): Config {
  const files = withSettingFiles(settingsOf(environment), IN_FILES)
  const given = { ...DEFAULTS, ...files.environment }
  const { value, error } = SCHEMA.validate(given, { abortEarly: false, convert: true })
  const problems = [...files.problems, ...(error?.details.map((detail) => detail.message) ?? [])]
  const values = value as Values
  const refused = new Set(error?.details.map((detail) => String(detail.path[0])))
  problems.push(...crossProblems(values, refused))
  if (problems.length > 0) {
    throw new StartRefusal(
      `the configuration is not usable:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    )
  }
  return protect(toConfig(values), values)
}

/** The variables of the environment that this service reads. */
function settingsOf(environment: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        (entry[0].startsWith('HM_') || OTHERS.has(entry[0])) && entry[1] !== undefined && entry[1] !== '',
    ),
  )
}

const IN_FILES = Object.entries<Variable>(VARIABLES)
  .filter(([, variable]) => mayBeInFile(variable))
  .map(([name]) => name)

/** Variables of this service without the prefix HM_. */
const OTHERS: ReadonlySet<string> = new Set([...Object.keys(VARIABLES), ...IN_FILES.map(fileVariable)])

const DEFAULTS = Object.fromEntries(
  Object.entries<Variable>(VARIABLES)
    .filter(([, variable]) => variable.default !== undefined)
    .map(([name, variable]) => [name, variable.default]),
)

const SCHEMA = Joi.object(
  Object.fromEntries(Object.entries<Variable>(VARIABLES).map(([name, { schema }]) => [name, schema])),
)
  .messages({
    'object.unknown': '{{#label}} is not a setting of this service',
    'any.only': '{{#label}} must be one of {{#valids}}',
  })
  .prefs({ errors: { wrap: { label: false }, label: 'key' } })

/** What the schema answers; those without a default may be absent. */
type Values = Readonly<Partial<Record<VariableName, unknown>>>

/** Problems of combinations of variables; a variable that is `refused` by itself is not checked here. */
function crossProblems(values: Values, refused: ReadonlySet<string>): string[] {
  const problems: string[] = []
  const isOpen = values.HM_AUTH === 'none' && values.HM_ALLOW_INSECURE_LISTEN === false
  for (const name of ['HM_LISTEN', ...Object.values(DOOR_LISTENERS)] as const) {
    const host = refused.has(name) ? undefined : (values[name] as Endpoint | undefined)?.host
    if (!isOpen || host === undefined || isLoopback(host)) continue
    problems.push(
      `${name} ${host} can be reached from other hosts, and HM_AUTH=none lets everybody in: listen on 127.0.0.1 or set HM_ALLOW_INSECURE_LISTEN=true`,
    )
  }
  for (const [one, other] of TLS_PAIR)
    if (values[one] !== undefined && values[other] === undefined) problems.push(`${one} needs ${other}`)
  if (values.HM_AUTH === 'keystone') {
    for (const name of KEYSTONE_NEEDED)
      if (values[name] === undefined) problems.push(`HM_AUTH=keystone needs ${name}`)
  }
  return problems
}

const TLS_PAIR = [
  ['HM_TLS_CERT', 'HM_TLS_KEY'],
  ['HM_TLS_KEY', 'HM_TLS_CERT'],
] as const satisfies readonly (readonly [VariableName, VariableName])[]

const KEYSTONE_NEEDED = [
  'HM_KEYSTONE_URL',
  'HM_KEYSTONE_USERNAME',
  'HM_KEYSTONE_PASSWORD',
  'HM_KEYSTONE_PROJECT',
] as const satisfies readonly VariableName[]

/** Whether only processes of this host reach a listener on this address. */
export function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1' || host.startsWith('::ffff:127.')
}

function toConfig(values: Values): Config {
  const { HM_METRICS_LISTEN: metrics } = values
  return {
    ...optional('databaseUrl', values.DATABASE_URL as string | undefined),
    listen: values.HM_LISTEN as Endpoint,
    doorListens: doorListens(values),
    doorVersions: { kuma: values.HM_KUMA_VERSION as string },
    ...(metrics === 'off' ? {} : { metricsListen: metrics as Endpoint }),
    metricsPages: {
      pools: values.HM_METRICS_POOLS as boolean,
      members: values.HM_METRICS_MEMBERS as boolean,
    },
    ...optional('tls', tls(values)),
    dataDir: resolve(values.HM_DATA_DIR as string),
    probers: values.HM_PROBERS as number,
    site: values.HM_SITE as string,
    shardLeaseMs: values.HM_SHARD_LEASE_MS as number,
    checkpointMs: values.HM_CHECKPOINT_MS as number,
    transitionDays: values.HM_TRANSITIONS_DAYS as number,
    eventDays: values.HM_EVENTS_DAYS as number,
    uptimeDays: values.HM_UPTIME_DAYS as number,
    transitionsPerMember: values.HM_TRANSITIONS_PER_MEMBER as number,
    defaultDialect: values.HM_DEFAULT_DIALECT as Config['defaultDialect'],
    auth: values.HM_AUTH as Config['auth'],
    ...optional('keystone', values.HM_AUTH === 'keystone' ? keystone(values) : undefined),
    tokenCacheMs: values.HM_TOKEN_CACHE_MS as number,
    rbac: values.HM_RBAC as Rbac,
    defaultProject: values.HM_DEFAULT_PROJECT as string,
    allowInsecureListen: values.HM_ALLOW_INSECURE_LISTEN as boolean,
    trustedProxies: (values.HM_TRUSTED_PROXIES ?? []) as readonly Cidr[],
    ...optional('publicUrl', values.HM_PUBLIC_URL as string | undefined),
    networkReads: values.HM_NETWORK_READS as boolean,
    vipRange: values.HM_VIP_RANGE as Cidr,
    probeAllow: (values.HM_PROBE_ALLOW ?? []) as readonly Cidr[],
    probeDeny: (values.HM_PROBE_DENY ?? []) as readonly Cidr[],
    webhookAllow: (values.HM_WEBHOOK_ALLOW ?? []) as readonly Cidr[],
    webhookDeny: (values.HM_WEBHOOK_DENY ?? []) as readonly Cidr[],
    sourceAddresses: (values.HM_SOURCE_ADDRESSES ?? []) as readonly string[],
    ...optional('tlsDir', values.HM_TLS_DIR as string | undefined),
    quotas: {
      loadbalancer: values.HM_QUOTA_LOADBALANCER as number,
      listener: values.HM_QUOTA_LISTENER as number,
      pool: values.HM_QUOTA_POOL as number,
      member: values.HM_QUOTA_MEMBER as number,
      healthmonitor: values.HM_QUOTA_HEALTHMONITOR as number,
    },
    probesPerSecondPerAddress: values.HM_PROBES_PER_SECOND_PER_ADDRESS as number,
    probesPerSecondPerProject: values.HM_PROBES_PER_SECOND_PER_PROJECT as number,
    inFlightPerProject: values.HM_IN_FLIGHT_PER_PROJECT as number,
    pageMax: values.HM_PAGE_MAX as number,
    allowPing: values.HM_ALLOW_PING as boolean,
    udpMinDelaySeconds: values.HM_UDP_MIN_DELAY as number,
    canaries: (values.HM_CANARY ?? []) as readonly Endpoint[],
    ...optional('nats', values.HM_NATS_URL === undefined ? undefined : nats(values)),
    ...optional('amqp', values.HM_AMQP_URL === undefined ? undefined : amqp(values)),
    logLevel: values.HM_LOG_LEVEL as LogLevel,
  }
}

/** Door → the variable of its listener. */
export const DOOR_LISTENERS = {
  kuma: 'HM_KUMA_LISTEN',
  greymatter: 'HM_GREYMATTER_LISTEN',
} as const satisfies Readonly<Record<string, VariableName>>

function doorListens(values: Values): Readonly<Record<string, Endpoint>> {
  return Object.fromEntries(
    Object.entries(DOOR_LISTENERS).flatMap(([door, name]) =>
      values[name] === undefined ? [] : [[door, values[name] as Endpoint]],
    ),
  )
}

function tls({ HM_TLS_CERT: cert, HM_TLS_KEY: key }: Values): TlsFiles | undefined {
  return cert === undefined ? undefined : { certFile: cert as string, keyFile: key as string }
}

function keystone(values: Values): KeystoneConfig {
  return {
    url: values.HM_KEYSTONE_URL as string,
    username: values.HM_KEYSTONE_USERNAME as string,
    password: values.HM_KEYSTONE_PASSWORD as string,
    project: values.HM_KEYSTONE_PROJECT as string,
    domain: values.HM_KEYSTONE_DOMAIN as string,
  }
}

function nats(values: Values): NatsConfig {
  const domain = values.HM_NATS_DOMAIN as string
  return {
    url: values.HM_NATS_URL as string,
    sites: (values.HM_NATS_SITES ?? []) as readonly string[],
    ...optional('credentials', values.HM_NATS_CREDS as string | undefined),
    ...optional('credentialsDir', values.HM_NATS_CREDS_DIR as string | undefined),
    ...optional(
      'heldDir',
      values.HM_SITE_DIR === undefined ? undefined : resolve(values.HM_SITE_DIR as string),
    ),
    ...optional('caFile', values.HM_NATS_CA as string | undefined),
    ...optional('domain', domain === '-' ? undefined : domain),
  }
}

function amqp(values: Values): AmqpSettings {
  return {
    urls: values.HM_AMQP_URL as readonly string[],
    exchange: values.HM_AMQP_EXCHANGE as string,
    topics: values.HM_AMQP_TOPICS as readonly string[],
    queueKind: values.HM_AMQP_QUEUES as AmqpSettings['queueKind'],
  }
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value }
}

/** The values without secrets, by the names of the environment. */
function shown(values: Values): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const secret = (VARIABLES[name as VariableName] as Variable | undefined)?.secret
      if (secret === undefined) return [name, value]
      if (secret === 'whole') return [name, '***']
      return [
        name,
        [value]
          .flat()
          .map((url) => withoutPassword(String(url)))
          .join(', '),
      ]
    }),
  )
}

/** A URL with `***` in the place of its password, also of one in its query. */
export function withoutPassword(text: string): string {
  const url = new URL(text)
  if (url.password !== '') url.password = '***'
  for (const name of url.searchParams.keys()) if (/password/i.test(name)) url.searchParams.set(name, '***')
  return url.href
}

function protect(config: Config, values: Values): Config {
  const redacted = (): unknown => shown(values)
  Object.defineProperty(config, 'toJSON', { value: redacted })
  Object.defineProperty(config, inspect.custom, { value: redacted })
  return freeze(config)
}

function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}
