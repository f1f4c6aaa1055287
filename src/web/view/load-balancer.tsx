/** A load balancer: its pools, the worst first. */
import { pathWith } from '../net/query.ts'
import { useResource } from '../net/resource.ts'
import type { LoadBalancer, Pool } from '../net/types.ts'
import { CountsBar, CountsInShort } from '../part/counts.tsx'
import { Crumbs } from '../part/crumbs.tsx'
import { StatusMark } from '../part/mark.tsx'
import { Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { Pager, usePaging } from '../part/pager.tsx'
import { PoolTable } from '../part/pool-table.tsx'
import { Ago } from '../part/time.tsx'
import { concerns } from '../words/event.ts'
import { nameOf } from '../words/name.ts'
import { rolledUpMark } from '../words/status.ts'

export function LoadBalancerView({ id }: { readonly id: string }) {
  const paging = usePaging(id)
  const head = useResource<{ loadbalancer: LoadBalancer }>(`v1/overview/loadbalancers/${id}`, concerns(id))
  const list = useResource<{ pools: readonly Pool[]; next: string | null }>(
    pathWith('v1/overview/pools', { limit: 100, loadbalancer_id: id, marker: paging.marker }),
    concerns(id),
  )
  const loadBalancer = head.state.value.body?.loadbalancer
  const name = loadBalancer === undefined ? 'Load balancer' : nameOf(loadBalancer)
  const { body } = list.state.value
  return (
    <>
      <Crumbs />
      <Heading title={name}>
        {loadBalancer === undefined ? null : (
          <StatusMark mark={rolledUpMark(loadBalancer.operating_status)} large />
        )}{' '}
        {name}
      </Heading>
      <Trouble state={head.state.value} />
      <Waiting state={head.state.value} />
      {loadBalancer === undefined ? null : (
        <p class="lead">
          <CountsInShort counts={loadBalancer.members} /> · for <Ago at={loadBalancer.since} />
          {loadBalancer.vip_address === null ? null : (
            <>
              {' '}
              · address <code>{loadBalancer.vip_address}</code>
            </>
          )}
        </p>
      )}
      {loadBalancer === undefined ? null : <CountsBar counts={loadBalancer.members} />}
      {body === undefined ? null : (
        <Section title="Pools">
          {body.pools.length === 0 ? (
            <p class="quiet">It has no pool.</p>
          ) : (
            <PoolTable pools={body.pools} ofOneLoadBalancer />
          )}
          <Pager paging={paging} next={body.next} of="pools" />
        </Section>
      )}
    </>
  )
}
