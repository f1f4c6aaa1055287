/** What requests of this API have in common: bodies without a content type, keys, checksums and filters. */
import { randomUUID } from 'node:crypto'
import { DomainError } from '../../../domain/errors.ts'
import { FILTERS_MAX, TEXT_MAX } from '../../../domain/greymatter/limits.ts'
import { isAbsent, isJsonObject, type Json } from '../../../domain/greymatter/problem.ts'
import { type KeyFilter, ObjectExistsError, type StoredObject } from '../../../store/greymatter/objects.ts'
import { readJson } from '../../http/body.ts'
import type { ApiContext } from '../../http/context.ts'
import { JsonText } from '../../http/json-body.ts'
import { queryOf } from '../../http/query.ts'
import { badParameter, ControlRefusal, duplicate, staleChecksum, unknownObject } from './refusal.ts'

/** The name of this door. */
export const DOOR = 'greymatter'

/** The object of a body. Throws INVALID_JSON and what says that there is none. */
export async function readObject(ctx: ApiContext): Promise<Json> {
  const body = await readJson(ctx, { untyped: true })
  if (isAbsent(body))
    throw new ControlRefusal('MISSING_ENVELOPE', {
      code: 'UnknownNoBodyCode',
      message: 'the request has no body',
    })
  if (isJsonObject(body)) return body
  throw new ControlRefusal('INVALID_JSON', {
    code: 'UnknownDecodingCode',
    message: 'the body is not an object',
  })
}

/** A key of the path. What cannot be one names nothing: throws NOT_FOUND. */
export function keyOf(ctx: ApiContext, parameter: string, what: string): string {
  const key = ctx.params[parameter] ?? ''
  if (key.length > TEXT_MAX || key.includes('\0')) throw unknownObject(what, key)
  return key
}

/** An object as it is stored, with a new checksum: it says nothing, and no two are alike (docs/peers/greymatter.md 4). */
export function toStore(object: Json): StoredObject {
  return { object: JSON.stringify(object), checksum: randomUUID() }
}

/** Throws UnknownModificationConflict unless the request has seen the object as it is. */
export function assertSeen(sent: unknown, { checksum }: StoredObject): void {
  if (sent !== checksum) throw staleChecksum()
}

/** The checksum in the query; undefined = none, which nobody has seen. */
export function sentChecksum(ctx: ApiContext): string | undefined {
  return queryOf(ctx).get('checksum') ?? undefined
}

/** An object with its checksum, as JSON: the text that is stored is not parsed again. */
export function shownObject({ object, checksum }: StoredObject): JsonText {
  return new JsonText(shownText({ object, checksum }))
}

export function shownText({ object, checksum }: StoredObject): string {
  return `${object.slice(0, -1)},"checksum":${JSON.stringify(checksum)}}`
}

const COLUMNS = ['cluster_key', 'zone_key', 'name'] as const

/**
 * The parameter `filters`: a JSON list of objects, of which one must match; an empty text is any (docs/peers/greymatter.md 5). `known`: what an object of this
 * kind has. A filter by what it does not have is ignored, as are null and other kinds of keys. Throws BadParameterErrorCode.
 */
export function filtersOf(
  ctx: ApiContext,
  known: readonly (typeof COLUMNS)[number][],
): { readonly filters: readonly KeyFilter[]; readonly isNothing: boolean } {
  const text = queryOf(ctx).get('filters')
  if (text === null || text === '') return { filters: [], isNothing: false }
  const sent = parsedFilters(text)
  // Organisations are projects here: those of another one are none.
  const project = ctx.state.identity.projectId
  const ours = sent.filter(({ org_key: org }) => isAbsent(org) || org === '' || org === project)
  const filters = ours.map((filter) =>
    Object.fromEntries(
      known.flatMap((name) => {
        const value = filter[name]
        return typeof value === 'string' && value !== '' ? [[name, value]] : []
      }),
    ),
  )
  return { filters, isNothing: sent.length > 0 && ours.length === 0 }
}

function parsedFilters(text: string): readonly Json[] {
  let sent: unknown
  try {
    sent = JSON.parse(text)
  } catch {
    throw badParameter('filters is not valid JSON')
  }
  if (!Array.isArray(sent) || !sent.every(isJsonObject))
    throw badParameter('filters must be a list of objects')
  if (sent.length > FILTERS_MAX) throw badParameter(`filters may have at most ${FILTERS_MAX} entries`)
  for (const filter of sent) {
    const wrong = [...COLUMNS, 'org_key'].find((name) => {
      const value = filter[name]
      return !isAbsent(value) && (typeof value !== 'string' || value.includes('\0'))
    })
    if (wrong !== undefined) throw badParameter(`${wrong} of filters must be a text`)
  }
  return sent
}

/** Awaits a write; another object with this key or name is a duplicate in the words of the API. */
export async function orDuplicate<Result>(
  write: Promise<Result>,
  words: Readonly<Record<ObjectExistsError['by'], string>>,
): Promise<Result> {
  try {
    return await write
  } catch (error) {
    if (error instanceof ObjectExistsError) throw duplicate(words[error.by])
    throw error
  }
}

/** Whether an error is an expected refusal with this code. */
export function isRefusal(error: unknown, code: DomainError['code']): error is DomainError {
  return error instanceof DomainError && error.code === code
}
