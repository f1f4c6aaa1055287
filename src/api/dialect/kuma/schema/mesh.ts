/** Mesh: what is stored of it. What it says of certificates, routes and logs has no effect here, and is not kept. */
import type { Tags } from '../../../../domain/kuma/objects.ts'
import { PROBE_LABEL, PROBED_SIDES, probedSideOf } from '../../../../domain/kuma/probed-side.ts'
import { badRequest, type Finding, notValid } from '../findings.ts'
import { assertName } from './envelope.ts'
import { Fields } from './fields.ts'

export interface SentMesh {
  readonly name: string
  readonly labels: Tags
}

/** Reads a mesh; its type and name may be left out. Throws INVALID_JSON, INVALID_FIELD. */
export function readMesh(sent: unknown, name: string): SentMesh {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent))
    throw badRequest('Mesh', 'unexpected end of JSON input')
  const found: Finding[] = []
  const fields = new Fields(sent as Readonly<Record<string, unknown>>, '', { found, takesNull: true })
  const others = (
    [
      ['name', name],
      ['type', 'Mesh'],
    ] as const
  )
    .filter(([key, expected]) => fields.has(key) && fields.text(key) !== expected)
    .map(([key]) => ({ field: key, message: `${key} from the URL has to be the same as in body` }))
  if (others.length > 0) throw notValid(others)
  assertName(name, false)
  const labels = fields.textMap('labels') ?? {}
  if (probedSideOf(labels) === undefined)
    fields.note(`labels[${JSON.stringify(PROBE_LABEL)}]`, `should be one of [${PROBED_SIDES.join(' ')}]`)
  if (found.length > 0) throw notValid(found)
  return { name, labels }
}
