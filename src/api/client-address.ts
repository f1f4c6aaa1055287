/** Who the client is: the peer of the connection, or behind trusted proxies the last one that they did not vouch for. */
import type { Context } from 'koa'
import { type Cidr, type IpAddress, isInRange, parseAddress, wireAddress } from '../domain/ip-address.ts'
import { FORWARDED_HOPS_MAX } from '../domain/limits.ts'

/**
 * Each proxy appends the peer that it saw to X-Forwarded-For, so the entries are believed from the last one on, for as long as
 * who wrote them is trusted. Undefined when the connection is gone.
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
