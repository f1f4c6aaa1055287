/**
 * The people, projects and domains of the development identity. There is no list of them: every name exists. Ids are
 * derived from names, so they are the same after a restart and on every host.
 */
import { createHash } from 'node:crypto'

export interface Named {
  readonly id: string
  readonly name: string
}

export interface NamedInDomain extends Named {
  readonly domain: Named
}

/** How a request identifies something: by id or by name. */
export interface Reference {
  readonly id?: string
  readonly name?: string
}

export const DEFAULT_DOMAIN: Named = { id: 'default', name: 'Default' }

const ADMIN_ROLES = ['admin', 'member', 'reader']
const MEMBER_ROLES = ['member', 'reader', 'load-balancer_member']
const READER_ROLES = ['reader', 'load-balancer_observer']
/** The roles that follow from a user's name; every other user is a member. */
const ROLES_BY_USER: ReadonlyMap<string, readonly string[]> = new Map([
  ['admin', ADMIN_ROLES],
  ['reader', READER_ROLES],
  ['viewer', READER_ROLES],
])

/** An id as Keystone makes them, from names: 32 hexadecimal digits. */
export function idOf(kind: string, ...names: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, ...names]))
    .digest('hex')
    .slice(0, 32)
}

export function rolesOf(userName: string): readonly Named[] {
  const names = ROLES_BY_USER.get(userName) ?? MEMBER_ROLES
  return names.map((name) => ({ id: idOf('role', name), name }))
}

/** The domain of a request; absent = the default one. */
export function domainOf({ id, name }: Reference = {}): Named {
  if (id === DEFAULT_DOMAIN.id || name?.toLowerCase() === 'default') return DEFAULT_DOMAIN
  if (id !== undefined) return { id, name: id }
  return name === undefined ? DEFAULT_DOMAIN : { id: idOf('domain', name), name }
}

/** The user of a request. From an id, only the names with special roles can be found. */
export function userOf({ id, name }: Reference, domain: Named): NamedInDomain | undefined {
  if (name !== undefined) return { id: userId(name, domain), name, domain }
  if (id === undefined) return undefined
  const known = [...ROLES_BY_USER.keys()].find((candidate) => userId(candidate, DEFAULT_DOMAIN) === id)
  return { id, name: known ?? id, domain: DEFAULT_DOMAIN }
}

function userId(name: string, domain: Named): string {
  return idOf('user', domain.name, name)
}

/**
 * The project of a request. The name of HM_DEFAULT_PROJECT means the default project, so that requests with and without
 * a token see the same objects.
 */
export function projectOf(
  { id, name }: Reference,
  domain: Named,
  defaultProject: string,
): NamedInDomain | undefined {
  if (id === defaultProject || (name === defaultProject && domain.id === DEFAULT_DOMAIN.id)) {
    return { id: defaultProject, name: defaultProject, domain: DEFAULT_DOMAIN }
  }
  if (id !== undefined) return { id, name: id, domain: DEFAULT_DOMAIN }
  return name === undefined ? undefined : { id: idOf('project', domain.name, name), name, domain }
}
