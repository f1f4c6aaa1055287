/** The checks of a proxy in words: what is probed, by which conf, from which policies; and what is not probed, and why. */
import type { Dataplane } from '../../../domain/kuma/objects.ts'
import type { ServiceViews } from '../../../domain/kuma/views.ts'
import { poolKeyOf, type WantedPools } from '../../../domain/kuma/wanted-pools.ts'
import type { Shown } from './render.ts'

export function checksOf({ name, inbounds }: Dataplane, wanted: WantedPools): readonly Shown[] {
  const own = new Set(inbounds.map(({ port }) => `${name}:${port}`))
  const byPool = new Map(wanted.views.map((view) => [poolKeyOf(view.service), view]))
  const probed = wanted.pools.flatMap(({ key, monitor, members, decides }) =>
    members
      .filter((member) => member.inbounds.some((inbound) => own.has(inbound)))
      .map((member) => ({
        inbound: member.inbounds.find((inbound) => own.has(inbound)),
        pool: key,
        probes: `${member.address.includes(':') ? `[${member.address}]` : member.address}:${member.port}`,
        decides,
        options: monitor.options,
        ...(decides ? policyOf(byPool.get(key)) : {}),
      })),
  )
  const unprobed = wanted.unprobed
    .filter(({ member }) => own.has(member))
    .map(({ member, pool, why }) => ({ inbound: member, pool, probes: null, why }))
  return [...probed, ...unprobed, ...withoutMonitor(own, wanted)]
}

/** Of the view that decides: the effective conf, and for each field the policy that it comes from. */
function policyOf(view: ServiceViews | undefined): Shown {
  if (view?.byDefault === undefined) return {}
  const { policyType, conf, from } = view.byDefault
  return { policy: policyType, conf, from }
}

/** Policies reach the service, and what they say gives no check. */
function withoutMonitor(own: ReadonlySet<string>, { views }: WantedPools): readonly Shown[] {
  return views.flatMap((view) => {
    const monitor = view.byDefault?.monitor
    if (monitor === undefined || !('none' in monitor)) return []
    return view.service.endpoints
      .map(({ dataplane, inbound }) => `${dataplane.name}:${inbound.port}`)
      .filter((inbound) => own.has(inbound))
      .map((inbound) => ({
        inbound,
        pool: poolKeyOf(view.service),
        probes: null,
        why: monitor.none,
        ...policyOf(view),
      }))
  })
}
