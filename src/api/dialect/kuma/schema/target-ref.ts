/** References of Kuma 2 to what a policy is for (docs/peers/kuma.md 15): read, and checked with its own sentences. */
import type { TargetRef } from '../../../../domain/kuma/objects.ts'
import { TO_KINDS, TOP_KINDS } from '../../../../domain/kuma/target-ref.ts'
import type { Finding } from '../findings.ts'
import type { Fields } from './fields.ts'

/** All kinds that the schema of the original knows, in its order. */
const KINDS = [
  'Mesh',
  'MeshSubset',
  'MeshGateway',
  'MeshService',
  'MeshExternalService',
  'MeshMultiZoneService',
  'MeshServiceSubset',
  'MeshHTTPRoute',
  'Dataplane',
]
const PROXY_TYPES = ['Sidecar', 'Gateway']
/** Kinds that are stored, and of which the original says that they are old. */
const DEPRECATED = ['MeshSubset', 'MeshService', 'MeshServiceSubset', 'MeshGateway']

/** A reference; undefined when its kind is missing or unknown, which is noted. */
export function readTargetRef(fields: Fields): TargetRef | undefined {
  const kind = fields.text('kind')
  const name = fields.text('name')
  const sectionName = fields.text('sectionName')
  const labels = fields.textMap('labels')
  const tags = fields.textMap('tags')
  const proxyTypes = fields.texts('proxyTypes', PROXY_TYPES.length)
  for (const [i, type] of proxyTypes.entries()) {
    if (!PROXY_TYPES.includes(type))
      fields.note(`${fields.at('proxyTypes')}[${i}]`, `in body should be one of [${PROXY_TYPES.join(' ')}]`)
  }
  if (!fields.has('kind')) fields.note(fields.at('kind'), 'in body is required')
  else if (kind !== undefined && !KINDS.includes(kind))
    fields.note(fields.at('kind'), `in body should be one of [${KINDS.join(' ')}]`)
  if (kind === undefined) return undefined
  return {
    kind,
    ...(name === undefined || name === '' ? {} : { name }),
    ...(sectionName === undefined || sectionName === '' ? {} : { sectionName }),
    ...(labels === undefined ? {} : { labels }),
    ...(tags === undefined ? {} : { tags }),
    ...(proxyTypes.length === 0 ? {} : { proxyTypes }),
  }
}

/** What is wrong with a reference at the top of a policy. */
export function topFindings(ref: TargetRef, path: string): readonly Finding[] {
  if (!TOP_KINDS.some((kind) => kind === ref.kind)) return [unsupported(ref, path)]
  const { kind, sectionName } = ref
  return [
    ...rulesOf(ref, path, kind === 'MeshService' || kind === 'MeshServiceSubset' || kind === 'MeshGateway'),
    ...(kind === 'Dataplane' && sectionName !== undefined
      ? [{ field: `${path}.sectionName`, message: 'can only be used with inbound policies' }]
      : []),
  ]
}

/** What is wrong with a reference to a destination. */
export function toFindings(ref: TargetRef, path: string, top: TargetRef | undefined): readonly Finding[] {
  const isKnown = TO_KINDS.some((kind) => kind === ref.kind)
  // Only everybody may check what is outside of the mesh.
  const isAllowed = ref.kind !== 'MeshExternalService' || (top?.kind ?? 'Mesh') === 'Mesh'
  if (!isKnown || !isAllowed) return [unsupported(ref, path)]
  return rulesOf(ref, path, ref.kind !== 'Mesh')
}

export function warningsOf(top: TargetRef | undefined): readonly string[] {
  if (top === undefined || !DEPRECATED.includes(top.kind)) return []
  return [`${top.kind} value for 'targetRef.kind' is deprecated, use Dataplane with labels instead`]
}

function unsupported({ kind }: TargetRef, path: string): Finding {
  return { field: `${path}.kind`, message: `value '${kind}' is not supported` }
}

function rulesOf(ref: TargetRef, path: string, needsName: boolean): readonly Finding[] {
  const { kind, name, labels, tags } = ref
  const found: Finding[] = []
  const note = (field: string, message: string): void => {
    found.push({ field: `${path}.${field}`, message })
  }
  if (kind === 'Mesh') {
    if (name !== undefined) note('name', 'using name with kind Mesh is not yet supported')
    for (const key of ['tags', 'labels', 'sectionName'] as const)
      if (ref[key] !== undefined) note(key, 'must not be set with kind Mesh')
    return found
  }
  if (name !== undefined && labels !== undefined)
    note('labels', 'either labels or name and namespace must be specified')
  if (needsName && name === undefined && labels === undefined) note('name', `must be set with kind ${kind}`)
  if (tags !== undefined && (kind === 'Dataplane' || kind === 'MeshService'))
    note('tags', `must not be set with kind ${kind}`)
  for (const [tag, value] of Object.entries(tags ?? {})) {
    if (!/^[A-Za-z0-9._-]+$/.test(value))
      note(
        `tags[${JSON.stringify(tag)}]`,
        'tag value must consist of alphanumeric characters, dots, dashes and underscores',
      )
  }
  return found
}
