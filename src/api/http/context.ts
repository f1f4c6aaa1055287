/** What every handler gets: the dependencies of the process and the facts of the request. */
import type { RouterContext } from '@koa/router'
import type Koa from 'koa'
import { DomainError } from '../../domain/errors.ts'
import type { Cidr } from '../../domain/address/ip-address.ts'
import type { TargetPolicy } from '../../domain/address/target-policy.ts'
import type { Rbac } from '../../domain/types.ts'
import { isUuid } from '../../domain/uuid.ts'
import type { Outcome } from '../../domain/webhook/outcome.ts'
import type { WebhookTarget } from '../../domain/webhook/webhook.ts'
import type { VipRange } from '../../domain/address/vip-range.ts'
import type { DevelopmentIdentity } from '../../identity/development.ts'
import type { Identify } from '../../identity/identity.ts'
import type { SignIn } from '../../identity/sign-in.ts'
import type { Database } from '../../store/connection/database.ts'
import type { Reach } from '../../store/door/lbaas-only.ts'
import type { Quotas } from '../../store/configuration/quotas.ts'
import type { Access } from './access.ts'
import type { Admission, AdmissionOptions } from './admission.ts'
import type { BodyState } from './body.ts'
import type { PublicAnswers } from '../public/answers.ts'
import type { RenderedRows } from './rendered-rows.ts'
import type { DialectRules } from '../dialect/dialect-rules.ts'
import type { ProbeAllowance } from '../resource/probe-allowance.ts'
import type { ProbeAnswers } from '../resource/probe-answers.ts'
import type { EventFeed } from '../v1/event-feed.ts'
import type { EventStreams } from '../v1/event-streams.ts'

/** Settings that the API needs; parsed in `runtime/config/config.ts`. */
export interface ApiSettings {
  /** Dialect of the bare path and of `/`. */
  readonly defaultDialect: string
  readonly pageMax: number
  readonly quotas: Quotas
  /** HM_VIP_RANGE: addresses of load balancers that are given none. */
  readonly vipRange: VipRange
  /** HM_RBAC: which roles count. */
  readonly rbac: Rbac
  /** No identity: loopback Host headers and JSON content types only. */
  readonly loopbackHostsOnly: boolean
  /** Answers the few reads of the network API that clients make. */
  readonly networkReads?: boolean
  /** Base of links, without a trailing slash; absent = from the request's Host. */
  readonly publicUrl?: string
  /** Peers whose X-Forwarded-Proto, -Host and -Prefix links follow. */
  readonly trustedProxies: readonly Cidr[]
  /** Used by dialects that need them: whether PING monitors may be created, the shortest delay of UDP-CONNECT monitors. */
  readonly allowPing: boolean
  readonly udpMinDelaySeconds: number
  /** -1 = unlimited; absent = the default. */
  readonly probesPerSecondPerProject?: number
  /** -1 = unlimited; absent = the default. */
  readonly inFlightPerProject?: number
  /** HM_SOURCE_ADDRESSES: what the option of that name may choose from; absent = none. */
  readonly sourceAddresses?: readonly string[]
  /** Whether HM_TLS_DIR has a file of this name; absent = HM_TLS_DIR is not set. */
  readonly hasTlsFile?: (name: string) => boolean
  /** Versions that doors tell their clients, by the name of the door. */
  readonly doorVersions?: Readonly<Record<string, string>>
  /** Why probers cannot search for a regular expression; undefined = they can. Absent = not checked. */
  readonly patternProblem?: (source: string) => string | undefined
}

export interface RequestLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * How a request for a probe ended. `unanswered`: there was no result in time. `refused`: too many requests, or a probe
 * is not possible.
 */
export type ProbeRequestOutcome = 'passed' | 'failed' | 'inconclusive' | 'unanswered' | 'refused'

export interface ApiDependencies {
  /** Bounds of what requests share; absent = those of the API's pool of connections. */
  readonly admission?: AdmissionOptions
  readonly db: Database
  readonly settings: ApiSettings
  readonly log: RequestLog
  readonly identify: Identify
  /** Only with Keystone: sign-in of people. */
  readonly signIn?: SignIn
  /** New events, and the open streams. */
  readonly events: { readonly feed: EventFeed; readonly streams: EventStreams }
  /** Requests for a probe: who waits for an answer, how many a project may have, and how each ended, for the metrics. */
  readonly probes: {
    readonly answers: Pick<ProbeAnswers, 'waitFor' | 'giveUp' | 'isClosed'>
    readonly allowance: Pick<ProbeAllowance, 'take'>
    readonly ended: (outcome: ProbeRequestOutcome) => void
  }
  /** Only with HM_AUTH=none. */
  readonly developmentIdentity?: Pick<DevelopmentIdentity, 'handle'>
  readonly targetPolicy: TargetPolicy
  readonly webhooks: {
    /** Which receivers may be called. */
    readonly policy: TargetPolicy
    /** Sends a test now; undefined = the project has too many under way. */
    readonly test: (webhook: WebhookTarget) => Promise<Outcome | undefined>
  }
  /** What strangers see; the application makes it. */
  readonly publicAnswers?: PublicAnswers
  readonly observe: (request: ObservedRequest) => void
  /** Called with the error of each request that got no answer from PostgreSQL. */
  readonly onStoreAway?: (error: unknown) => void
}

/** One answered request, for metrics: `route` is the pattern, never a path with ids. */
export interface ObservedRequest {
  readonly method: string
  readonly route: string
  /** `none` outside the dialects. */
  readonly dialect: string
  readonly status: number
  readonly seconds: number
}

export interface ApiState extends BodyState {
  requestId: string
  /** Set with the identity: its rights in this operation. */
  access: Access
  /** Its share of the resources of requests; set with the identity. */
  admission: Admission
  /** Rows of lists as they were rendered; set with the identity. */
  renderedRows: RenderedRows
  /** The API whose rules and names the response follows. */
  dialect: DialectRules
  /** Which objects the route finds; absent = those of LBaaS. */
  reach?: Reach
  /** The door that the request is for; absent = none. */
  door?: string
  /** The answer, before it became bytes. */
  answered?: object
  /** It was a dry run. */
  keepsNothing?: true
  /** Properties of the object that an update found to be different from what is stored. */
  changed?: readonly string[]
  /** That object as it was shown before. */
  before?: Readonly<Record<string, unknown>>
  /** The dialect's prefix, which was taken off the path before routing; empty on the bare path. */
  mount: string
}

export type ApiContext = RouterContext<ApiState, Koa.DefaultContext>
export type Handler = (ctx: ApiContext) => Promise<void>

/** One operation: the tests compare this list with openapi.yaml. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** Patterns of @koa/router below the dialect's mount; all do the same. */
  readonly paths: readonly string[]
  /** Answered without identity: version discovery. */
  readonly open?: true
  /** Its body may be as large as that of a batch. */
  readonly largeBody?: true
  /** `all`: objects that doors keep are found too. Absent = those of LBaaS alone. */
  readonly reach?: Reach
  /** The request may wait for a long time: the handler itself calls `admit`, around each use of the database. */
  readonly admitsItself?: true
  readonly handler: Handler
}

/** The id in a path parameter; what is not a UUID cannot be the id of anything. Throws NOT_FOUND. */
export function pathId(ctx: ApiContext, parameter: string, resource: string): string {
  const id = ctx.params[parameter] ?? ''
  if (!isUuid(id)) {
    throw new DomainError('NOT_FOUND', `${resource} ${id} could not be found`, {
      resource,
      id: id.slice(0, 255),
    })
  }
  return id.toLowerCase()
}

/** A GET outside of the dialects; the tests compare these too with openapi.yaml. */
export interface ServiceRoute {
  readonly path: string
  readonly answer: (ctx: Koa.Context) => Promise<void> | void
}
