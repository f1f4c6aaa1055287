/**
 * The address of the client: the peer of the connection, or, behind trusted proxies, the last address that is not one
 * of them.
 */
import type { Context } from 'koa'
import {
  type Cidr,
  type IpAddress,
  isInRange,
  parseAddress,
  wireAddress,
} from '../../domain/address/ip-address.ts'
import { FORWARDED_HOPS_MAX } from '../../domain/limits.ts'

/**
 * Each proxy appends the peer that it saw to X-Forwarded-For, so entries count from the last one backwards, as long as
 * the proxy that wrote them is trusted. Undefined when the connection is gone.
 */
export function clientAddress(
  ctx: Pick<Context, 'req' | 'get'>,
  trustedProxies: readonly Cidr[],
): string | undefined {
  const peer = parseAddress(ctx.req.socket.remoteAddress?.replace(/%.*$/, '') ?? '')
  if (peer === undefined) return undefined
  let client = wireAddress(peer)
  const hops = ctx.get('x-forwarded-for').split(',').slice(-FORWARDED_HOPS_MAX)
  while (isTrusted(client, trustedProxies)) {
    const before = parseAddress(hops.pop()?.trim() ?? '')
    if (before === undefined) break
    client = wireAddress(before)
  }
  return client.canonical
}

function isTrusted(address: IpAddress, proxies: readonly Cidr[]): boolean {
  return proxies.some((range) => isInRange(address, range))
}
