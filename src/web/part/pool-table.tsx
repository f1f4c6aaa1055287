/** Pools, the worst first. */
import type { LoadBalancer, Pool } from '../net/types.ts'
import { PoolParent } from './pool-parent.tsx'
import { linkTo } from '../route.ts'
import { shortId } from '../words/name.ts'
import { MAINTENANCE, rolledUpMark } from '../words/status.ts'
import { CountsBar, CountsInShort } from './counts.tsx'
import { StatusMark } from './mark.tsx'
import { Table } from './table.tsx'
import { Ago } from './time.tsx'

/** A name, else the beginning of the id, as what it is. */
const named = (name: string, id: string) => (name === '' ? <code>{shortId(id)}</code> : name)

export function PoolTable({
  pools,
  ofOneLoadBalancer,
}: {
  readonly pools: readonly Pool[]
  /** All are of one load balancer, whose name need not be said in each row. */
  readonly ofOneLoadBalancer?: boolean
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
            {ofOneLoadBalancer === true ? null : (
              <div class="quiet small">
                <PoolParent pool={pool} />
              </div>
            )}
          </th>
          <CountCells of={pool} />
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
          <CountCells of={each} />
        </tr>
      ))}
    </Table>
  )
}

/** The last two columns: how the members are divided, and for how long the status has been this one. */
function CountCells({ of: { members, since } }: { readonly of: Pick<Pool, 'members' | 'since'> }) {
  return (
    <>
      <td>
        <CountsInShort counts={members} />
        <CountsBar counts={members} />
      </td>
      <td class="since" data-label="for">
        <Ago at={since} />
      </td>
    </>
  )
}
