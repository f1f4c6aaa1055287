/**
 * The development identity: enough of Keystone v3, at `/identity/v3`, for `openstack`, Terraform and gophercloud to
 * work with nothing else installed. It exists only with HM_AUTH=none. Any user and any password will do; the user's
 * name decides the roles, the project's name its id. Shapes, status codes and sentences are those recorded from a real
 * Keystone (test/vectors/keystone-golden).
 *
 * Independent of any framework: a request in, an answer out.
 */
import { DEVELOPMENT_REVOKED_MAX, DEVELOPMENT_TOKEN_SECONDS } from '../domain/limits.ts'
import { readCredentials } from './development-credentials.ts'
import {
  type Call,
  catalogueOf,
  type DevelopmentAnswer,
  type DevelopmentRequest,
} from './development-call.ts'
import { identityPath } from './development-catalogue.ts'
import { lookUp } from './development-lookups.ts'
import { rolesOf } from './development-names.ts'
import { type Claims, newAuditId, readToken, signToken } from './development-token.ts'
import type { Identity } from './identity.ts'
import { TokenCache } from './token-cache.ts'

export interface DevelopmentIdentity {
  handle(request: DevelopmentRequest): DevelopmentAnswer
  /** The holder of the token; `ended` = issued here, but expired or revoked; undefined = not issued here. */
  identify(token: string): Identity | 'ended' | undefined
}

export interface DevelopmentOptions {
  readonly key: Buffer
  /** HM_DEFAULT_PROJECT. */
  readonly defaultProject: string
  /** Wall clock, milliseconds. */
  readonly wallNow?: () => number
}

const PATH = /^\/identity(?:\/(?!v3(?:\/|$))([\w.-]+))?(?:\/v3(\/.*)?)?$/
const VERSIONED = /\/v3(\/|$)/

export function developmentIdentity(options: DevelopmentOptions): DevelopmentIdentity {
  const { key, defaultProject } = options
  const tokens = developmentTokens(options)
  return {
    handle: (request) => {
      const [, region, path] = PATH.exec(request.path) ?? []
      const call = { request, region, path: path ?? '' }
      if (!PATH.test(request.path)) return notFound()
      if (call.path === '/auth/tokens') return answerTokens(call, tokens)
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return failure(405, 'The method is not allowed for the requested URL.')
      }
      if (call.path === '') return VERSIONED.test(request.path) ? version(call) : versions(call)
      const claims = tokens.claimsOf(request.authToken)
      if (claims === undefined) return unauthorized(call)
      return lookUp({ call, claims, defaultProject }) ?? notFound()
    },
    identify: (token) => {
      const claims = readToken(token, key)
      if (claims === undefined) return undefined
      return tokens.isLive(claims) ? identityOf(claims) : 'ended'
    },
  }
}

/** The tokens that were issued here: which of them are live, and how one more is issued or one is revoked. */
interface DevelopmentTokens {
  /** Neither over nor revoked. */
  readonly isLive: (claims: Claims) => boolean
  /** What a token claims; undefined = it is none of ours, or is not live any more. */
  readonly claimsOf: (token: string | undefined) => Claims | undefined
  readonly issue: (call: Call) => DevelopmentAnswer
  readonly revoke: (claims: Claims) => void
}

function developmentTokens(options: DevelopmentOptions): DevelopmentTokens {
  const { key, defaultProject, wallNow = () => Date.now() } = options
  const revoked = new TokenCache<true>({ max: DEVELOPMENT_REVOKED_MAX })
  const secondsNow = (): number => Math.floor(wallNow() / 1000)
  const isLive = (claims: Claims): boolean =>
    claims.expiresAt > secondsNow() && revoked.get(claims.auditId) !== true
  const claimsOf = (token: string | undefined): Claims | undefined => {
    const claims = token === undefined ? undefined : readToken(token, key)
    return claims !== undefined && isLive(claims) ? claims : undefined
  }
  return {
    isLive,
    claimsOf,
    issue: (call) => {
      const credentials = readCredentials(call.request.body, { claimsOf, defaultProject })
      if ('refusal' in credentials) {
        const { refusal, message } = credentials
        return refusal === 400 ? failure(400, message) : unauthorized(call)
      }
      const issuedAt = secondsNow()
      const claims: Claims = {
        ...credentials,
        auditId: newAuditId(),
        issuedAt,
        expiresAt: issuedAt + DEVELOPMENT_TOKEN_SECONDS,
      }
      return tokenAnswer(201, { claims, token: signToken(claims, key), call })
    },
    revoke: ({ auditId, expiresAt }) => revoked.set(auditId, true, expiresAt * 1000 - wallNow()),
  }
}

/** Answers a request for `/auth/tokens`. */
function answerTokens(call: Call, tokens: DevelopmentTokens): DevelopmentAnswer {
  switch (call.request.method) {
    case 'POST':
      return tokens.issue(call)
    case 'GET':
      return aboutSubject(call, tokens, (claims, token) => tokenAnswer(200, { claims, token, call }))
    case 'HEAD':
      return aboutSubject(call, tokens, (_, token) => ({
        status: 200,
        headers: { 'X-Subject-Token': token },
      }))
    case 'DELETE':
      return aboutSubject(call, tokens, (claims) => {
        tokens.revoke(claims)
        return { status: 204 }
      })
    default:
      return failure(405, 'The method is not allowed for the requested URL.')
  }
}

/** GET, HEAD and DELETE of auth/tokens: one's own token, or as an admin anybody's. */
function aboutSubject(
  call: Call,
  { claimsOf }: DevelopmentTokens,
  then: (claims: Claims, token: string) => DevelopmentAnswer,
): DevelopmentAnswer {
  const { authToken, subjectToken } = call.request
  const caller = claimsOf(authToken)
  if (caller === undefined) return unauthorized(call)
  if (subjectToken === undefined) return failure(404, 'No token in the request')
  const subject = claimsOf(subjectToken)
  if (subject === undefined) return failure(404, 'Failed to validate token')
  const admin = rolesOf(caller.user.name).some(({ name }) => name === 'admin')
  if (!admin && caller.user.id !== subject.user.id) {
    const action = call.request.method === 'DELETE' ? 'revoke_token' : 'validate_token'
    return failure(403, `You are not authorized to perform the requested action: identity:${action}.`)
  }
  return then(subject, subjectToken)
}

function identityOf({ user, scope }: Claims): Identity {
  return {
    projectId: scope.kind === 'project' ? scope.project.id : '',
    assumed: false,
    scope: scope.kind,
    roles: scope.kind === 'unscoped' ? [] : rolesOf(user.name).map(({ name }) => name),
    confined: false,
    userId: user.id,
  }
}

interface IssuedToken {
  readonly claims: Claims
  readonly token: string
  readonly call: Call
}

function tokenAnswer(status: number, { claims, token, call }: IssuedToken): DevelopmentAnswer {
  const { methods, user, scope, auditId, expiresAt, issuedAt } = claims
  const withCatalogue = scope.kind !== 'unscoped' && !call.request.query.has('nocatalog')
  return {
    status,
    headers: { 'X-Subject-Token': token },
    body: {
      token: {
        methods,
        user: { domain: user.domain, id: user.id, name: user.name, password_expires_at: null },
        audit_ids: [auditId],
        expires_at: timestamp(expiresAt),
        issued_at: timestamp(issuedAt),
        ...(scope.kind === 'project' ? { project: scope.project, is_domain: false } : {}),
        ...(scope.kind === 'domain' ? { domain: scope.domain } : {}),
        ...(scope.kind === 'unscoped' ? {} : { roles: rolesOf(user.name) }),
        ...(scope.kind === 'system' ? { system: { all: true } } : {}),
        ...(withCatalogue ? { catalog: catalogueOf(call, claims) } : {}),
      },
    },
  }
}

/** As Keystone writes them. */
function timestamp(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.000000Z`
}

function versionOf({ request, region }: Call): object {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${request.baseUrl}${identityPath(region)}/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  }
}

function versions(call: Call): DevelopmentAnswer {
  const location = `${call.request.baseUrl}${identityPath(call.region)}/v3/`
  return { status: 300, headers: { Location: location }, body: { versions: { values: [versionOf(call)] } } }
}

function version(call: Call): DevelopmentAnswer {
  return { status: 200, body: { version: versionOf(call) } }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
}

function failure(status: number, message: string): DevelopmentAnswer {
  return { status, body: { error: { code: status, message, title: TITLES[status] ?? 'Error' } } }
}

function unauthorized({ request, region }: Call): DevelopmentAnswer {
  return {
    ...failure(401, 'The request you have made requires authentication.'),
    headers: { 'WWW-Authenticate': `Keystone uri="${request.baseUrl}${identityPath(region)}/v3"` },
  }
}

function notFound(): DevelopmentAnswer {
  return failure(404, 'The resource could not be found.')
}
