/**
 * Updates that send shown values again. Clients read an object, change one attribute and send all of them back. A value
 * that another dialect or an option has stored may break the rules for new values. If it is sent again as it is shown,
 * it is no change, so these rules do not apply.
 */
import { isDeepStrictEqual } from 'node:util'
import { DomainError } from '../../domain/errors.ts'
import { isObject } from '../schema/attributes.ts'
import type { ApiContext } from '../http/context.ts'
import { JsonText } from '../http/json-body.ts'

type Shown = Readonly<Record<string, unknown>>

interface Update<Parsed> {
  /** Name of the envelope. */
  readonly resource: string
  readonly parse: (body: unknown) => Parsed
  /** The object as it is shown to the identity; undefined = it does not exist. Read only when the body is refused. */
  readonly show: () => Promise<Shown | undefined>
}

export interface ReadUpdate<Parsed> {
  readonly parsed: Parsed
  /** Applies the update; when a rule refuses it, once more without the values that are shown already. */
  readonly apply: <Values>(shown: () => Shown, valuesOf: (parsed: Parsed) => Values) => Values
}

/** Reads the body of an update. Throws what the dialect refuses: values of attributes that are not shown so already. */
export async function readUpdate<Parsed>(
  ctx: ApiContext,
  body: unknown,
  { resource, parse, show }: Update<Parsed>,
): Promise<ReadUpdate<Parsed>> {
  const retried = (error: unknown, shown: Shown | undefined): Parsed => {
    if (!mayBeResent(ctx, error) || shown === undefined) throw error
    const rest = withoutShown(ctx, body, { resource, shown })
    if (rest === undefined) throw error
    return parse(rest)
  }
  let parsed: Parsed
  try {
    parsed = parse(body)
  } catch (error) {
    parsed = retried(error, mayBeResent(ctx, error) ? await show() : undefined)
  }
  return {
    parsed,
    apply: (shown, valuesOf) => {
      try {
        return valuesOf(parsed)
      } catch (error) {
        return valuesOf(retried(error, shown()))
      }
    },
  }
}

/** What the value of an attribute is refused for. */
const OF_VALUES: ReadonlySet<string> = new Set(['INVALID_FIELD', 'TOO_LONG'])
/** What naming an attribute is refused for. Some dialects call unknown what no update may name, whatever its value is. */
const OF_NAMES: ReadonlySet<string> = new Set(['READ_ONLY_ATTRIBUTE', 'UNRECOGNIZED_ATTRIBUTE'])

/** Whether an attribute may be at fault that says what is shown already. */
function mayBeResent(ctx: ApiContext, error: unknown): boolean {
  if (!(error instanceof DomainError)) return false
  return (
    OF_VALUES.has(error.code) || (OF_NAMES.has(error.code) && ctx.state.dialect.writes.takesShownReadOnly)
  )
}

/** The body without attributes that have the value that is shown; undefined when it has none. */
function withoutShown(
  ctx: ApiContext,
  body: unknown,
  { resource, shown }: { readonly resource: string; readonly shown: Shown },
): unknown {
  const attributes = isObject(body) ? body[resource] : undefined
  if (!isObject(attributes) || !isObject(body)) return undefined
  const isResent = ([name, value]: [string, unknown]): boolean =>
    name in shown &&
    // Such dialects refuse some attributes of some types by their name, also as null.
    (value !== null || ctx.state.dialect.writes.takesShownReadOnly) &&
    isDeepStrictEqual(value, valueOf(shown[name]))
  const sent = Object.entries(attributes)
  const rest = sent.filter((entry) => !isResent(entry))
  if (rest.length === sent.length) return undefined
  return { ...body, [resource]: Object.fromEntries(rest) }
}

function valueOf(shown: unknown): unknown {
  return shown instanceof JsonText ? shown.toJSON() : shown
}

/** The object, if the identity may see it. */
export function visible<Item extends { readonly projectId: string }>(
  ctx: ApiContext,
  object: Item | undefined,
): Item | undefined {
  if (object === undefined) return undefined
  try {
    ctx.state.access.authorise(object.projectId)
    return object
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}
