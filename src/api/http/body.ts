/**
 * JSON bodies. A body is received within bounds of bytes, depth, keys and items before it is parsed. Characters that
 * PostgreSQL and other clients cannot store are refused.
 */
import type { Context, DefaultState, ParameterizedContext } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import {
  BODY_MAX_BYTES,
  BODY_VALUES_MAX,
  LARGE_BODY_MAX_BYTES,
  LARGE_BODY_VALUES_MAX,
  SLICED_BODY_BYTES,
} from '../../domain/limits.ts'
import type { Identity } from '../../identity/identity.ts'
import { JsonMeter } from './json-meter.ts'
import { sharerOf } from './sharer.ts'
import { nextSlice } from './slices.ts'

/** What a body may be before it is parsed. */
export interface BodyBounds {
  readonly bytes: number
  /** Keys and items in all. */
  readonly values: number
}

export const BODY: BodyBounds = { bytes: BODY_MAX_BYTES, values: BODY_VALUES_MAX }
export const LARGE_BODY: BodyBounds = { bytes: LARGE_BODY_MAX_BYTES, values: LARGE_BODY_VALUES_MAX }

/** What a request knows of its body. */
export interface BodyState extends DefaultState {
  identity: Identity
  /** The body as it came, of requests that may have one. */
  received?: Buffer | undefined
  /** The parsed JSON body, once it was read. */
  sent?: unknown
}

/** Called with the number of bytes that were received; throws when there is no room for them. */
type OnBytes = (bytes: number) => void

/**
 * Receives the body, if there is one and its type is allowed. For another type, `readJson` throws the refusal. Throws
 * BODY_TOO_LARGE, BODY_TOO_COMPLEX, INVALID_JSON when it ends too early, and what `onBytes` throws.
 */
export async function receiveBody(
  ctx: Context,
  bounds: BodyBounds,
  onBytes: OnBytes = () => undefined,
): Promise<Buffer | undefined> {
  if (ctx.request.length === 0 || !isJson(ctx)) return undefined
  if ((ctx.request.length ?? 0) > bounds.bytes) throw refuseUnread(ctx, tooLarge(bounds))
  const meter = new JsonMeter(bounds.values)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of ctx.req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bounds.bytes) throw tooLarge(bounds)
      onBytes(chunk.length)
      meter.feed(chunk)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof DomainError) throw refuseUnread(ctx, error)
    throw new DomainError('INVALID_JSON', 'The body ended before it was complete.', {}, { cause: error })
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}

function tooLarge({ bytes }: BodyBounds): DomainError {
  return new DomainError('BODY_TOO_LARGE', `The body is larger than ${bytes} bytes.`, { max: bytes })
}

/** The rest of the body is not read: answer, then close the connection. */
function refuseUnread(ctx: Context, refusal: DomainError): DomainError {
  ctx.set('Connection', 'close')
  return refusal
}

/**
 * The parsed body. `untyped`: also one without a content type, if no browser sent it: in a browser any page could. Throws
 * UNSUPPORTED_MEDIA_TYPE and INVALID_JSON.
 */
export async function readJson(
  ctx: ParameterizedContext<BodyState>,
  { untyped = false }: { readonly untyped?: boolean } = {},
): Promise<unknown> {
  if (ctx.request.length === 0) return undefined
  if (!isJson(ctx)) throw unsupportedMediaType(ctx)
  const { received } = ctx.state
  if (received === undefined || received.length === 0) return undefined
  if (ctx.get('content-type') === '' && !(untyped && !isOfBrowser(ctx))) throw unsupportedMediaType(ctx)
  // A body that takes milliseconds to parse is a slice of its own.
  if (received.length > SLICED_BODY_BYTES) await nextSlice(sharerOf(ctx.state.identity))
  const body = parseJson(textOf(received))
  ctx.state.sent = body
  return body
}

/** Browsers name the page that sends a request: none writes without one of these (Fetch Metadata; RFC 6454 section 7). */
function isOfBrowser(ctx: Context): boolean {
  return ctx.get('origin') !== '' || ctx.get('sec-fetch-site') !== ''
}

/** The bytes as text. Throws INVALID_JSON. */
export function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new DomainError('INVALID_JSON', 'The body is not valid UTF-8.', {}, { cause: error })
  }
}

function parseJson(text: string): unknown {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    const facts = { problem: 'syntax' }
    throw new DomainError('INVALID_JSON', 'The body is not valid JSON.', facts, { cause: error })
  }
  // Only an escape can bring in what cannot be stored: UTF-8 has no surrogates, and JSON no control that is not escaped.
  if (text.includes('\\u')) assertStorable(body)
  return body
}

/** No type at all, or JSON in UTF-8, the only charset of JSON between systems (RFC 8259 section 8.1). */
function isJson(ctx: Context): boolean {
  const type = ctx.get('content-type')
  if (type === '') return true
  if (ctx.request.is('json', '+json') === false) return false
  const charset = ctx.request.charset
  return charset === '' || /^utf-?8$/i.test(charset)
}

/** The refusal of a body that is not JSON in UTF-8. */
export function unsupportedMediaType(ctx: Context): DomainError {
  const message = 'The content type of the body must be application/json, in UTF-8.'
  const type = ctx.get('content-type')
  // If the type is JSON, its charset is the reason.
  const shown = ctx.request.is('json', '+json') === false ? (type.split(';')[0] ?? '') : type
  return new DomainError('UNSUPPORTED_MEDIA_TYPE', message, { type: shown.trim().slice(0, 255) })
}

/** PostgreSQL stores neither NUL nor lone surrogates in text and jsonb. */
function assertStorable(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new DomainError('INVALID_JSON', 'The body contains a NUL character.')
    if (!value.isWellFormed()) throw new DomainError('INVALID_JSON', 'The body contains a lone surrogate.')
  } else if (Array.isArray(value)) {
    for (const item of value) assertStorable(item)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      assertStorable(key)
      assertStorable(item)
    }
  }
}
