/** What each object begins with: type, mesh, name, labels. Times, KRI and status are ours, whatever a client sends. */
import { NAME_MAX } from '../../../../domain/kuma/limits.ts'
import type { ResourceType, Tags } from '../../../../domain/kuma/objects.ts'
import type { Collection } from '../collections.ts'
import { badRequest, type Finding, notValid } from '../findings.ts'
import { readDataplane } from './dataplane.ts'
import { Fields } from './fields.ts'
import { readHealthCheck } from './health-check.ts'
import { readMeshHealthCheck } from './mesh-health-check.ts'
import { readMeshService } from './mesh-service.ts'
import type { BodyOf } from './object-body.ts'

/** Where an object is, as the path says. */
export interface Place {
  readonly mesh: string
  readonly name: string
}

export interface SentObject extends BodyOf {
  readonly labels: Tags
}

const READERS: Readonly<Record<ResourceType, (fields: Fields) => BodyOf>> = {
  Dataplane: readDataplane,
  HealthCheck: readHealthCheck,
  MeshHealthCheck: readMeshHealthCheck,
  MeshService: readMeshService,
}

/**
 * Reads an object. Wrong types hide wrong values, as in the original. Throws INVALID_JSON for what is no object of this type,
 * INVALID_FIELD for a body that says another place than its path, or another type.
 */
export function readObject(sent: unknown, { type, hasSpec }: Collection, place: Place): SentObject {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    throw badRequest(type, 'unexpected end of JSON input')
  const found: Finding[] = []
  const fields = new Fields(sent as Readonly<Record<string, unknown>>, '', { found, takesNull: !hasSpec })
  const said = { name: fields.text('name'), type: fields.text('type'), mesh: fields.text('mesh') }
  if (hasSpec && said.type !== undefined && said.type !== type)
    throw notValid([{ field: '', message: `type in body should be one of [${type}]` }])
  const named = { name: place.name, type, mesh: place.mesh }
  const others = (['name', 'type', 'mesh'] as const)
    .filter((key) => said[key] !== named[key])
    .map((key) => ({ field: key, message: `${key} from the URL has to be the same as in body` }))
  if (others.length > 0) throw notValid(others)
  assertName(place.name, hasSpec)
  const labels = fields.textMap('labels') ?? {}
  const read = READERS[type](fields)
  if (read.unreadable !== undefined) throw badRequest(type, read.unreadable)
  if (found.length > 0) throw hasSpec ? notValid(found) : badRequest(type, sentence(found))
  return { ...read, labels }
}

function sentence([first]: readonly Finding[]): string {
  return first === undefined ? '' : `${first.field}: ${first.message}`
}

const OLD_NAME = /^[0-9a-z\-_.]+$/
/** RFC 1123, a subdomain. */
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/** Throws INVALID_FIELD for a name that an object cannot have: new types are stricter. */
export function assertName(name: string, isStrict: boolean): void {
  if (name.length > NAME_MAX)
    throw notValid([{ field: 'name', message: `must be at most ${NAME_MAX} characters` }])
  if (isStrict && !NAME.test(name)) throw notValid([{ field: 'name', message: STRICT }])
  if (!isStrict && !OLD_NAME.test(name)) throw notValid([{ field: 'name', message: LOOSE }])
}

const LOOSE =
  "invalid characters. Valid characters are numbers, lowercase latin letters and '-', '_' symbols."
const STRICT =
  "invalid characters. A lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
