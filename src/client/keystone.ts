/**
 * Sign-in with Keystone (Identity API v3, POST /v3/auth/tokens) by the OS_* variables that OpenStack's clients share: a
 * password, a token or an application credential, and a project. The development identity of the service answers the
 * same requests.
 */
import { type ClientFailure, mistake, refused, unreachable } from './failure.ts'
import type { Http } from './http.ts'

export interface SignIn {
  readonly token: string
  /** Of the token; undefined when it is for no project. */
  readonly projectId: string | undefined
  readonly catalog: readonly CatalogEntry[]
}

export interface CatalogEntry {
  readonly type: string
  readonly endpoints: readonly {
    readonly interface: string
    readonly region_id?: string
    readonly region?: string
    readonly url: string
  }[]
}

/** Values of OS_* variables; an empty one counts as absent. */
export type Variables = (...names: readonly string[]) => string | undefined

export function variablesOf(environment: NodeJS.ProcessEnv): Variables {
  return (...names) =>
    names.map((name) => environment[name]).find((value) => value !== undefined && value !== '')
}

/** Throws ClientFailure: something is missing, or Keystone cannot be reached, or refuses. */
export async function signIn(http: Http, variables: Variables): Promise<SignIn> {
  const url = `${withVersion(variables('OS_AUTH_URL') ?? '')}/auth/tokens`
  const answer = await http.exchange({ method: 'POST', url, body: { auth: authOf(variables) } })
  const subject = answer.headers['x-subject-token']
  if (answer.status !== 201 || typeof subject !== 'string') throw refusal(url, answer.status, answer.body)
  const { token } = answer.body as {
    readonly token?: {
      readonly project?: { readonly id?: string }
      readonly catalog?: readonly CatalogEntry[]
    }
  }
  return { token: subject, projectId: token?.project?.id, catalog: token?.catalog ?? [] }
}

function refusal(url: string, status: number, body: unknown): ClientFailure {
  const said = (body as { readonly error?: { readonly message?: unknown } } | undefined)?.error?.message
  const sentence = typeof said === 'string' ? `: ${said}` : ''
  if (status === 401) return refused(`Keystone refuses the sign-in${sentence}`)
  const problem = `${url} answers ${status}${sentence}`
  return status >= 500 ? unreachable(problem) : refused(problem)
}

/** With `/v3` at its end, as people write it or leave it out. */
function withVersion(url: string): string {
  const trimmed = url.replace(/\/+$/, '')
  return trimmed.endsWith('/v3') ? trimmed : `${trimmed}/v3`
}

function authOf(variables: Variables): object {
  const type = (variables('OS_AUTH_TYPE') ?? guessedType(variables)).replace(/^v3/, '')
  switch (type) {
    case 'password':
      return { identity: { methods: ['password'], password: passwordOf(variables) }, ...scopeOf(variables) }
    case 'token':
      return {
        identity: { methods: ['token'], token: { id: needed(variables, 'OS_TOKEN') } },
        ...scopeOf(variables),
      }
    case 'applicationcredential':
      // Its project is its own: a scope is refused.
      return {
        identity: { methods: ['application_credential'], application_credential: credentialOf(variables) },
      }
    default:
      throw mistake(
        `OS_AUTH_TYPE=${type} is not supported: password, token, v3applicationcredential and none are`,
      )
  }
}

function guessedType(variables: Variables): string {
  if (variables('OS_APPLICATION_CREDENTIAL_ID', 'OS_APPLICATION_CREDENTIAL_NAME') !== undefined)
    return 'applicationcredential'
  return variables('OS_TOKEN') !== undefined && variables('OS_PASSWORD') === undefined ? 'token' : 'password'
}

function needed(variables: Variables, ...names: readonly string[]): string {
  const value = variables(...names)
  if (value === undefined) throw mistake(`${names.join(' or ')} is not set, and OS_AUTH_URL is`)
  return value
}

function passwordOf(variables: Variables): object {
  const id = variables('OS_USER_ID')
  const password = needed(variables, 'OS_PASSWORD')
  if (id !== undefined) return { user: { id, password } }
  return { user: { name: needed(variables, 'OS_USERNAME'), domain: domainOf(variables, 'USER'), password } }
}

function credentialOf(variables: Variables): object {
  const secret = needed(variables, 'OS_APPLICATION_CREDENTIAL_SECRET')
  const id = variables('OS_APPLICATION_CREDENTIAL_ID')
  if (id !== undefined) return { id, secret }
  const userId = variables('OS_USER_ID')
  const user =
    userId === undefined
      ? { name: needed(variables, 'OS_USERNAME'), domain: domainOf(variables, 'USER') }
      : { id: userId }
  return { name: needed(variables, 'OS_APPLICATION_CREDENTIAL_NAME'), secret, user }
}

/** Absent without a project: then Keystone takes the default project of the user. */
function scopeOf(variables: Variables): { readonly scope?: object } {
  const id = variables('OS_PROJECT_ID', 'OS_TENANT_ID')
  if (id !== undefined) return { scope: { project: { id } } }
  const name = variables('OS_PROJECT_NAME', 'OS_TENANT_NAME')
  return name === undefined ? {} : { scope: { project: { name, domain: domainOf(variables, 'PROJECT') } } }
}

function domainOf(variables: Variables, of: 'USER' | 'PROJECT'): object {
  const id = variables(`OS_${of}_DOMAIN_ID`, 'OS_DEFAULT_DOMAIN_ID', 'OS_DEFAULT_DOMAIN')
  const name = variables(`OS_${of}_DOMAIN_NAME`)
  if (name !== undefined) return { name }
  return id === undefined ? { name: 'Default' } : { id }
}

/** The URL of a service in the catalogue, for the region and the interface of the variables. Throws ClientFailure. */
export function endpointOf(catalog: readonly CatalogEntry[], type: string, variables: Variables): string {
  const region = variables('OS_REGION_NAME')
  // `publicURL` is how older settings say `public`.
  const side = (variables('OS_INTERFACE', 'OS_ENDPOINT_TYPE') ?? 'public').replace(/URL$/, '')
  const endpoints = catalog.filter((entry) => entry.type === type).flatMap((entry) => entry.endpoints)
  const found = endpoints.find(
    (each) => each.interface === side && (region === undefined || region === (each.region_id ?? each.region)),
  )
  if (found !== undefined) return found.url
  const where = `${side}${region === undefined ? '' : `, region ${region}`}`
  throw mistake(`Keystone's catalogue has no ${type} service (${where}): give its address with --url`)
}
