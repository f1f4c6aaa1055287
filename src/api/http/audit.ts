/**
 * What a successful write changed, for audits: the kind of object, its id, and the names of the fields. Never a value:
 * names belong to the tenant, and headers and bodies may have secrets.
 */
import { isDeepStrictEqual } from 'node:util'
import { AUDIT_NAMES_MAX } from '../../domain/limits.ts'
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
  /** For an update the changed fields; else the sent ones. */
  readonly fields?: readonly string[]
  /** Objects in the body of a batch. */
  readonly count?: number
}

const OPERATIONS: Readonly<Record<string, AuditFields['operation']>> = {
  POST: 'create',
  PUT: 'update',
  DELETE: 'delete',
}

/**
 * Undefined if nothing was written: reads, refusals, dry runs, and requests outside of the dialects (tokens of the development
 * identity).
 */
export function auditFields({ method, status, route, params, state }: Written): AuditFields | undefined {
  const operation = OPERATIONS[method]
  if (operation === undefined || status < 200 || status > 299 || state.identity === undefined)
    return undefined
  if (state.keepsNothing === true) return undefined
  const segments = route.split('/').filter((segment) => segment !== '')
  const parameters = segments.filter((segment) => segment.startsWith(':'))
  const words = segments.filter((segment) => !segment.startsWith(':') && !segment.startsWith('{'))
  const sent = contentOf(state.sent)
  const list = Array.isArray(sent) ? sent : undefined
  const names = namesIn(list ?? [sent])
  const fields = state.changed === undefined ? names : names.filter(differsIn(state, state.changed))
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

/**
 * Which attributes an update changed: those that are shown with another value than before, and those that are stored under their
 * own name with another value, because not everything is shown.
 */
function differsIn(
  { before, answered }: Pick<Partial<ApiState>, 'before' | 'answered'>,
  changed: readonly string[],
): (name: string) => boolean {
  const after = contentOf(answered)
  const stored = new Set(changed.map(inSnakeCase))
  return (name) =>
    stored.has(name) ||
    (before !== undefined &&
      typeof after === 'object' &&
      after !== null &&
      !isDeepStrictEqual(before[name], Reflect.get(after, name)))
}

/** The value of the one key of a body (`{"pool": …}`); for a batch its members; other keys are ignored. */
function contentOf(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return undefined
  if ('members' in body && Array.isArray(body.members)) return body.members
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
