/**
 * Our URL for clients: HM_PUBLIC_URL, else the one that a trusted proxy reports, else the one of the request. HM_PUBLIC_URL is about
 * the listener of the API: one that belongs to a door has another address.
 */
import { DomainError } from '../../domain/errors.ts'
import { isInRange, parseAddress } from '../../domain/address/ip-address.ts'
import type { ApiContext, ApiDependencies } from './context.ts'
import { doorOfListener } from './door-request.ts'

/** Host and port as in a URL: no path, no credentials. */
const HOST = /^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/
const PREFIX = /^(\/[A-Za-z0-9._~-]{1,64}){1,8}$/

/** Scheme, authority and prefix of links, without a trailing slash. Throws HOST_NOT_ALLOWED. */
export function baseUrl(ctx: ApiContext, { settings }: ApiDependencies): string {
  if (settings.publicUrl !== undefined && doorOfListener(ctx.req) === undefined) return settings.publicUrl
  if (!HOST.test(ctx.host)) throw new DomainError('HOST_NOT_ALLOWED', 'The Host header names no host.')
  if (!isTrusted(ctx, settings.trustedProxies)) return `${ctx.protocol}://${ctx.host}`
  const protocol = forwarded(ctx, 'proto', /^https?$/) ?? ctx.protocol
  const host = forwarded(ctx, 'host', HOST) ?? ctx.host
  const prefix = forwarded(ctx, 'prefix', PREFIX) ?? ''
  return `${protocol}://${host}${prefix}`
}

function isTrusted(ctx: ApiContext, proxies: ApiDependencies['settings']['trustedProxies']): boolean {
  if (proxies.length === 0) return false
  const peer = parseAddress((ctx.req.socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, ''))
  return peer !== undefined && proxies.some((range) => isInRange(peer, range))
}

/** The first value of an X-Forwarded header: what the outermost proxy saw. */
function forwarded(ctx: ApiContext, name: string, form: RegExp): string | undefined {
  const value = ctx.get(`x-forwarded-${name}`).split(',')[0]?.trim().replace(/\/$/, '') ?? ''
  return form.test(value) ? value : undefined
}
