/** The look-ups that clients make after a login: catalogue, projects, domains and users, by id and by name. */
import { type Call, catalogueOf, type DevelopmentAnswer } from './development-call.ts'
import { identityPath } from './development-catalogue.ts'
import {
  DEFAULT_DOMAIN,
  domainOf,
  type Named,
  type NamedInDomain,
  projectOf,
  type Reference,
  userOf,
} from './development-names.ts'
import type { Claims } from './development-token.ts'

/** The form of Keystone's ids; a name does not count as an id. */
const ID = /^[0-9a-f]{32}$/

/** A look-up: the request, the claims of the token, and the default project. */
interface Looking {
  readonly call: Call
  readonly claims: Claims
  readonly defaultProject: string
}

/** Answers a GET below `/v3`; undefined for an unknown path. */
export function lookUp(looking: Looking): DevelopmentAnswer | undefined {
  const { call, claims, defaultProject } = looking
  const [, collection = '', id, ...rest] = call.path.split('/')
  if (rest.length > 0) return undefined
  if (collection === 'auth') return aboutToken(id ?? '', looking)
  const domainId = call.request.query.get('domain_id')
  const domain = domainOf(domainId === null ? {} : { id: domainId })
  const own = claims.scope.kind === 'project' ? claims.scope.project : undefined
  const find = new Map<string, (reference: Reference) => Document | undefined>([
    [
      'projects',
      (reference) =>
        projectDocument(
          own !== undefined && reference.id === own.id ? own : projectOf(reference, domain, defaultProject),
        ),
    ],
    [
      'users',
      (reference) => userDocument(reference.id === claims.user.id ? claims.user : userOf(reference, domain)),
    ],
    ['domains', (reference) => domainDocument(domainOf(reference))],
  ]).get(collection)
  if (find === undefined) return undefined
  if (id !== undefined) {
    if (!ID.test(id) && id !== defaultProject && id !== DEFAULT_DOMAIN.id) return undefined
    return { status: 200, body: { [collection.slice(0, -1)]: linked(call, collection, find({ id })) } }
  }
  const name = call.request.query.get('name')
  const found = name === null ? undefined : find({ name })
  return listOf(call, collection, found === undefined ? [] : [linked(call, collection, found)])
}

function aboutToken(what: string, { call, claims, defaultProject }: Looking): DevelopmentAnswer | undefined {
  if (what === 'catalog') return listOf(call, 'catalog', catalogueOf(call, claims))
  if (what === 'domains')
    return listOf(call, 'domains', [linked(call, 'domains', domainDocument(claims.user.domain))])
  if (what !== 'projects') return undefined
  const { scope } = claims
  const own =
    scope.kind === 'project'
      ? scope.project
      : projectOf({ id: defaultProject }, DEFAULT_DOMAIN, defaultProject)
  return listOf(call, 'projects', [linked(call, 'projects', projectDocument(own))])
}

interface Document {
  readonly id: string
  readonly name: string
  readonly [attribute: string]: unknown
}

/** Clients read `links` of every document, and fail without it. */
function linked({ request, region }: Call, collection: string, document: Document | undefined): object {
  const self = `${request.baseUrl}${identityPath(region)}/v3/${collection}/${document?.id}`
  return { ...document, links: { self } }
}

function listOf({ request }: Call, name: string, items: readonly object[]): DevelopmentAnswer {
  const links = { next: null, self: `${request.baseUrl}${request.path}`, previous: null }
  return { status: 200, body: { [name]: items, links } }
}

function projectDocument(project: NamedInDomain | undefined): Document | undefined {
  if (project === undefined) return undefined
  const { id, name, domain } = project
  return {
    id,
    name,
    domain_id: domain.id,
    parent_id: domain.id,
    description: '',
    enabled: true,
    is_domain: false,
    tags: [],
    options: {},
  }
}

function userDocument(user: NamedInDomain | undefined): Document | undefined {
  if (user === undefined) return undefined
  const { id, name, domain } = user
  return { id, name, domain_id: domain.id, enabled: true, password_expires_at: null, options: {} }
}

function domainDocument({ id, name }: Named): Document {
  return { id, name, description: '', enabled: true, tags: [], options: {} }
}
