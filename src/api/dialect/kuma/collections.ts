/** The collections of a mesh: their paths, the type of their objects, and how the type looks in a KRI. */
import type { ResourceType } from '../../../domain/kuma/objects.ts'

export interface Collection {
  readonly type: ResourceType
  /** Its segment of the path. */
  readonly path: string
  /** Objects have a `spec`, as all types of Kuma 2; otherwise their fields are beside the name. */
  readonly hasSpec: boolean
  /** The short name of the type in a KRI; HealthCheck has none. */
  readonly kri?: string
}

export const COLLECTIONS: readonly Collection[] = [
  { type: 'Dataplane', path: 'dataplanes', hasSpec: false, kri: 'dp' },
  { type: 'HealthCheck', path: 'health-checks', hasSpec: false },
  { type: 'MeshHealthCheck', path: 'meshhealthchecks', hasSpec: true, kri: 'mhc' },
  { type: 'MeshService', path: 'meshservices', hasSpec: true, kri: 'msvc' },
]

export function collectionOf(type: ResourceType): Collection {
  const found = COLLECTIONS.find((collection) => collection.type === type)
  if (found === undefined) throw new Error(`no collection of ${type}`)
  return found
}
