/**
 * What a successful write did, for whoever has to answer who changed what: the kind of object, its id, and the names of the
 * fields. Never a value: names of members are a tenant's affair, and headers and bodies may hold secrets.
 */
import { AUDIT_NAMES_MAX } from '../domain/limits.ts'
import type { ApiState } from './context.ts'

export interface Written {
  readonly method: string
  readonly status: number
  /** The pattern of the route. */
  readonly route: string
  readonly params: unknown
  readonly state: Partial<ApiState>
}

export interface AuditFields {
  readonly operation: 'create' | 'update' | 'delete'
  readonly object: string
  readonly object_id?: string
  /** Of an update those that it found to be different; else those that were sent. */
  readonly fields?: readonly string[]
  /** Objects in the body of a batch. */
  readonly count?: number
}

const OPERATIONS: Readonly<Record<string, AuditFields['operation']>> = {
  POST: 'create',
  PUT: 'update',
  DELETE: 'delete',
}

/** Undefined for what wrote nothing: reads, refusals, and what no dialect routes (tokens of the development identity). */
export function auditFields({ method, status, route, params, state }: Written): AuditFields | undefined {
  const operation = OPERATIONS[method]
  if (operation === undefined || status < 200 || status > 299 || state.identity === undefined)
    return undefined
  const segments = route.split('/').filter((segment) => segment !== '')
  const parameters = segments.filter((segment) => segment.startsWith(':'))
  const words = segments.filter((segment) => !segment.startsWith(':') && !segment.startsWith('{'))
  const sent = contentOf(state.sent)
  const list = Array.isArray(sent) ? sent : undefined
  const fields = state.changed?.map(inSnakeCase) ?? namesIn(list ?? [sent])
  const id = segments.at(-1)?.startsWith(':') === true ? parameters.at(-1) : undefined
  const objectId =
    textAt(contentOf(state.answered), 'id') ?? textAt(params, (id ?? parameters.at(-1) ?? '').slice(1))
  return {
    operation,
    object: words.at(-1) ?? 'none',
    ...(objectId === undefined ? {} : { object_id: objectId }),
    ...(fields.length === 0 ? {} : { fields }),
    ...(list === undefined ? {} : { count: list.length }),
  }
}

/** What stands below the one key of a body (`{"pool": …}`). */
function contentOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return undefined
  const values: unknown[] = Object.values(body)
  return values.length === 1 ? values[0] : body
}

/** The keys of these objects, each once. */
function namesIn(objects: readonly unknown[]): readonly string[] {
  const names = new Set<string>()
  for (const object of objects) {
    if (typeof object !== 'object' || object === null) continue
    for (const name of Object.keys(object)) {
      if (names.size >= AUDIT_NAMES_MAX) return [...names]
      names.add(name)
    }
  }
  return [...names]
}

function textAt(object: unknown, name: string): string | undefined {
  const value: unknown = typeof object === 'object' && object !== null ? Reflect.get(object, name) : undefined
  return typeof value === 'string' ? value : undefined
}

function inSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
