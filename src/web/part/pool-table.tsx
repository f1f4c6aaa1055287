/** Pools, the worst first. */
import type { LoadBalancer, Pool } from '../net/types.ts'
import { linkTo } from '../route.ts'
import { MAINTENANCE, rolledUpMark } from '../words/status.ts'
import { CountsBar, CountsInShort } from './bar.tsx'
import { StatusMark } from './mark.tsx'
import { Table } from './table.tsx'
import { Ago } from './time.tsx'

const named = (name: string, id: string) => (name === '' ? <code>{id.slice(0, 8)}</code> : name)

export function PoolTable({
  pools,
  ofOne,
}: {
  readonly pools: readonly Pool[]
  /** All are of one load balancer, whose name need not be said in each row. */
  readonly ofOne?: boolean
}) {
  return (
    <Table caption="Pools, the worst first" columns={['Status', 'Pool', 'Members', 'For']}>
      {pools.map((pool) => (
        <tr key={pool.id}>
          <td>
            <StatusMark mark={rolledUpMark(pool.operating_status)} />
            {pool.maintenance ? <StatusMark mark={MAINTENANCE} /> : null}
          </td>
          <th scope="row">
            <a href={linkTo.pool(pool.id)}>{named(pool.name, pool.id)}</a>
            {ofOne === true ? null : (
              <div class="quiet small">
                <a href={linkTo.loadBalancer(pool.loadbalancer.id)}>
                  {named(pool.loadbalancer.name, pool.loadbalancer.id)}
                </a>
              </div>
            )}
          </th>
          <td>
            <CountsInShort counts={pool.members} />
            <CountsBar counts={pool.members} />
          </td>
          <td class="since" data-label="for">
            <Ago at={pool.since} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

export function LoadBalancerTable({ loadBalancers }: { readonly loadBalancers: readonly LoadBalancer[] }) {
  return (
    <Table caption="Load balancers, the worst first" columns={['Status', 'Load balancer', 'Members', 'For']}>
      {loadBalancers.map((each) => (
        <tr key={each.id}>
          <td>
            <StatusMark mark={rolledUpMark(each.operating_status)} />
          </td>
          <th scope="row">
            <a href={linkTo.loadBalancer(each.id)}>{named(each.name, each.id)}</a>
            <div class="quiet small">
              {each.vip_address === null ? '' : `${each.vip_address} · `}
              {each.pools} {each.pools === 1 ? 'pool' : 'pools'}
            </div>
          </th>
          <td>
            <CountsInShort counts={each.members} />
            <CountsBar counts={each.members} />
          </td>
          <td class="since" data-label="for">
            <Ago at={each.since} />
          </td>
        </tr>
      ))}
    </Table>
  )
}
