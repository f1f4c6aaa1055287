/** Reads a JSON body: bounded, typed, and free of what PostgreSQL and other clients cannot hold. */
import type { Context } from 'koa'
import { DomainError } from '../domain/errors.ts'
import { BODY_MAX_BYTES } from '../domain/limits.ts'
import type { ApiContext } from './context.ts'

/** Values nested deeper than this are nobody's request. */
const DEPTH_MAX = 32

/** The parsed body. Throws UNSUPPORTED_MEDIA_TYPE, BODY_TOO_LARGE or INVALID_JSON. */
export async function readJson(ctx: ApiContext): Promise<unknown> {
  if (ctx.request.length === 0) return undefined
  if (ctx.get('content-type') !== '' && ctx.request.is('json', '+json') === false) {
    throw unsupportedMediaType(ctx)
  }
  const text = await readText(ctx)
  if (text === '') return undefined
  if (ctx.get('content-type') === '') {
    throw unsupportedMediaType(ctx)
  }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    const facts = { problem: 'syntax' }
    throw new DomainError('INVALID_JSON', 'The body is not valid JSON.', facts, { cause: error })
  }
  assertStorable(body, 0)
  ctx.state.sent = body
  return body
}

/** The refusal of a body that is no JSON. */
export function unsupportedMediaType(ctx: Context): DomainError {
  const message = 'The content type of the body must be application/json.'
  const type = ctx.get('content-type').split(';')[0]?.trim().slice(0, 255) ?? ''
  return new DomainError('UNSUPPORTED_MEDIA_TYPE', message, { type })
}

/** The body as text. Throws BODY_TOO_LARGE or INVALID_JSON. */
export async function readText(ctx: ApiContext): Promise<string> {
  const tooLarge = new DomainError('BODY_TOO_LARGE', `The body is larger than ${BODY_MAX_BYTES} bytes.`, {
    max: BODY_MAX_BYTES,
  })
  if ((ctx.request.length ?? 0) > BODY_MAX_BYTES) throw refuseUnread(ctx, tooLarge)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of ctx.req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > BODY_MAX_BYTES) throw refuseUnread(ctx, tooLarge)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof DomainError) throw error
    throw new DomainError('INVALID_JSON', 'The body ended before it was complete.', {}, { cause: error })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (error) {
    throw new DomainError('INVALID_JSON', 'The body is not valid UTF-8.', {}, { cause: error })
  }
}

/** The rest of the body is not wanted: answer, then close the connection. */
function refuseUnread(ctx: ApiContext, refusal: DomainError): DomainError {
  ctx.set('Connection', 'close')
  return refusal
}

/** PostgreSQL stores neither NUL nor lone surrogates in text and jsonb. */
function assertStorable(value: unknown, depth: number): void {
  if (depth > DEPTH_MAX) throw new DomainError('INVALID_JSON', 'The body is nested too deeply.')
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new DomainError('INVALID_JSON', 'The body contains a NUL character.')
    if (!value.isWellFormed()) throw new DomainError('INVALID_JSON', 'The body contains a lone surrogate.')
  } else if (Array.isArray(value)) {
    for (const item of value) assertStorable(item, depth + 1)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      assertStorable(key, depth + 1)
      assertStorable(item, depth + 1)
    }
  }
}
