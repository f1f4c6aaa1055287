/** A load balancer: its pools, the worst first. */
import { useResource } from '../net/resource.ts'
import type { LoadBalancer, Pool } from '../net/types.ts'
import { CountsBar, CountsInShort } from '../part/bar.tsx'
import { StatusMark } from '../part/mark.tsx'
import { Heading, Section, Trouble, Waiting } from '../part/page.tsx'
import { Pager, usePaging } from '../part/paged.tsx'
import { PoolTable } from '../part/pool-table.tsx'
import { Ago } from '../part/time.tsx'
import { linkTo } from '../route.ts'
import { concerns } from '../words/event.ts'
import { rolledUpMark } from '../words/status.ts'

export function LoadBalancerView({ id }: { readonly id: string }) {
  const paging = usePaging(id)
  const head = useResource<{ loadbalancer: LoadBalancer }>(`v1/overview/loadbalancers/${id}`, concerns(id))
  const list = useResource<{ pools: readonly Pool[]; next: string | null }>(
    `v1/overview/pools?limit=100&loadbalancer_id=${id}${paging.query}`,
    concerns(id),
  )
  const loadBalancer = head.state.value.body?.loadbalancer
  const name = loadBalancer === undefined ? 'Load balancer' : loadBalancer.name || id.slice(0, 8)
  const { body } = list.state.value
  return (
    <>
      <nav class="crumbs" aria-label="Where this is">
        <a href={linkTo.overview}>Overview</a>
      </nav>
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
            <PoolTable pools={body.pools} ofOne />
          )}
          <Pager paging={paging} next={body.next} of="pools" />
        </Section>
      )}
    </>
  )
}
