/**
 * `/v1/session`: sign-in of the page, and the identity of its user. `POST` signs in with user, password and project,
 * and keeps the token in a cookie; `DELETE` ends both. The service keeps nothing of a session, so it outlives a restart
 * and holds in every API process, until its token ends.
 */
import { hasMoreCharacters } from '../../domain/characters.ts'
import { DomainError } from '../../domain/errors.ts'
import { NAME_MAX, PASSWORD_MAX, SESSION_BODY } from '../../domain/limits.ts'
import { clientKey } from '../../identity/client-key.ts'
import { decide, policyOf } from '../../identity/policy.ts'
import { LBAAS } from '../../identity/policy-rule.ts'
import { LBAAS_POLICY, OWN_POLICY } from '../../identity/policy-table.ts'
import type { Credentials, SignIn } from '../../identity/sign-in.ts'
import { readJson } from '../http/body.ts'
import { clientAddress } from '../http/client-address.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import { assertFromThePage, endSession, sessionToken, setSession } from '../http/session-cookie.ts'

export function sessionRoutes(deps: ApiDependencies): Route[] {
  const paths = ['/v1/session']
  return [
    { method: 'get', paths, handler: (ctx) => Promise.resolve(show(ctx, deps)) },
    { method: 'post', paths, open: true, handler: (ctx) => begin(ctx, deps) },
    { method: 'delete', paths, open: true, handler: (ctx) => end(ctx, deps) },
  ]
}

const ruleFor = policyOf([...LBAAS_POLICY, ...OWN_POLICY])

function show(ctx: ApiContext, deps: ApiDependencies): void {
  const { identity } = ctx.state
  const { rbac } = deps.settings
  const may = (method: string, path: string): boolean => {
    const rule = ruleFor(method, path)
    return rule !== undefined && decide({ rule, identity, rbac }) !== 'denied'
  }
  ctx.set('Cache-Control', 'no-store')
  ctx.body = {
    auth: deps.signIn === undefined ? 'none' : 'keystone',
    project_id: identity.projectId,
    user_id: identity.userId ?? null,
    roles: identity.roles,
    administrator: may('GET', '/v1/probers'),
    may_write: may('PUT', `${LBAAS}/pools/{id}`),
  }
}

async function begin(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const signIn = signInOf(deps)
  assertFromThePage(ctx, deps)
  const address = clientAddress(ctx, deps.settings.trustedProxies)
  await ctx.state.admission.withBody(ctx, `client ${clientKey(address)}`, SESSION_BODY, async (body) => {
    ctx.state.received = body
    const credentials = credentialsOf(await readJson(ctx))
    const { token, expiresAt } = await signIn.signIn(credentials, address)
    setSession(ctx, deps, { token, lifeMs: expiresAt - Date.now() })
    ctx.status = 201
    ctx.body = { expires_at: new Date(expiresAt).toISOString() }
  })
}

/** Removes the cookie also when the token cannot be ended. */
async function end(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const signIn = signInOf(deps)
  assertFromThePage(ctx, deps)
  const token = sessionToken(ctx, deps)
  endSession(ctx, deps)
  if (token !== undefined) await signIn.signOut(token)
  ctx.status = 204
}

/** Throws UNSUPPORTED where there is no identity to sign in with. */
function signInOf({ signIn }: ApiDependencies): SignIn {
  if (signIn !== undefined) return signIn
  throw new DomainError('UNSUPPORTED', 'The service runs without identity: there is nothing to sign in to.')
}

/** Longest values; no message repeats one. */
const FIELDS = { user: NAME_MAX, password: PASSWORD_MAX, project: NAME_MAX, domain: NAME_MAX } as const

/** Throws MISSING_FIELD, INVALID_FIELD, UNRECOGNIZED_ATTRIBUTE. */
function credentialsOf(body: unknown): Credentials {
  const sent = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {}
  for (const name of Object.keys(sent)) {
    if (!Object.hasOwn(FIELDS, name)) {
      throw new DomainError('UNRECOGNIZED_ATTRIBUTE', 'The body may have user, password, project and domain.')
    }
  }
  const read = (field: keyof typeof FIELDS): string => {
    const value: unknown = Reflect.get(sent, field)
    if (value === undefined) throw new DomainError('MISSING_FIELD', `${field} is missing.`, { field })
    if (typeof value === 'string' && value !== '' && !hasMoreCharacters(value, FIELDS[field])) return value
    throw new DomainError('INVALID_FIELD', `${field} must be a text of 1 to ${FIELDS[field]} characters.`, {
      field,
    })
  }
  return {
    user: read('user'),
    password: read('password'),
    project: read('project'),
    domain: read('domain'),
  }
}
