/** Reads the body of `POST /v3/auth/tokens`: methods password, token and application_credential, every scope. */
import { NAME_MAX } from '../domain/limits.ts'
import {
  DEFAULT_DOMAIN,
  domainOf,
  type NamedInDomain,
  projectOf,
  type Reference,
  userOf,
} from './development-names.ts'
import type { Claims, DevelopmentScope } from './development-token.ts'

export interface Known {
  /** Claims of a good token of ours. */
  readonly claimsOf: (token: string | undefined) => Claims | undefined
  readonly defaultProject: string
}

export type Credentials =
  | Pick<Claims, 'methods' | 'user' | 'scope'>
  | { readonly refusal: 400 | 401; readonly message: string }

type Fields = Readonly<Record<string, unknown>>

const NOT_AUTHENTICATED = { refusal: 401, message: '' } as const

function malformed(what: string): Credentials {
  return {
    refusal: 400,
    message: `Expecting to find ${what} in request body. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
  }
}

/** The user and the scope of a login; 401 also for unknown methods and tokens, as in Keystone. */
export function readCredentials(text: string, known: Known): Credentials {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return malformed('valid JSON')
  }
  const auth = fields(fields(body)?.['auth'])
  if (auth === undefined) return malformed('auth')
  const identity = fields(auth['identity'])
  if (identity === undefined) return malformed('identity')
  const methods = identity['methods']
  if (!Array.isArray(methods) || methods.length === 0) return malformed('methods')
  let user: NamedInDomain | undefined
  for (const method of methods) {
    user = METHODS.get(method)?.(fields(identity[String(method)]) ?? {}, known)
    if (user === undefined) return NOT_AUTHENTICATED
  }
  const scope = scopeOf(auth['scope'], known.defaultProject)
  if (user === undefined || scope === undefined) return malformed('a known scope')
  return { methods: methods.map(String), user, scope }
}

type Method = (fields: Fields, known: Known) => NamedInDomain | undefined

const METHODS: ReadonlyMap<unknown, Method> = new Map<string, Method>([
  ['password', (method) => userFrom(fields(method['user']))],
  [
    'token',
    (method, { claimsOf }) => claimsOf(typeof method['id'] === 'string' ? method['id'] : undefined)?.user,
  ],
  [
    'application_credential',
    (method) => userFrom(fields(method['user'])) ?? userOf(reference(method), DEFAULT_DOMAIN),
  ],
])

function userFrom(user: Fields | undefined): NamedInDomain | undefined {
  return user && userOf(reference(user), domainOf(reference(fields(user['domain']))))
}

/** No scope at all means the user's default project, as for Keystone's users that have one. */
function scopeOf(scope: unknown, defaultProject: string): DevelopmentScope | undefined {
  if (scope === 'unscoped' || fields(scope)?.['unscoped'] !== undefined) return { kind: 'unscoped' }
  if (scope === undefined || scope === null)
    return projectScope({ id: defaultProject }, undefined, defaultProject)
  const named = fields(scope)
  if (named === undefined) return undefined
  const { project: wantedProject, domain: wantedDomain, system } = named
  const project = fields(wantedProject)
  if (project !== undefined)
    return projectScope(reference(project), fields(project['domain']), defaultProject)
  if (fields(wantedDomain) !== undefined)
    return { kind: 'domain', domain: domainOf(reference(fields(wantedDomain))) }
  return fields(system)?.['all'] === true ? { kind: 'system' } : undefined
}

function projectScope(
  wanted: Reference,
  domain: Fields | undefined,
  defaultProject: string,
): DevelopmentScope | undefined {
  const project = projectOf(wanted, domainOf(reference(domain)), defaultProject)
  return project && { kind: 'project', project }
}

function reference(named: Fields | undefined): Reference {
  const id = text(named?.['id'])
  const name = text(named?.['name'])
  return { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }) }
}

function fields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

/** Names as Keystone bounds them: the token carries them, and must fit into a header. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= NAME_MAX ? value : undefined
}
