/** The way from the overview to what is shown. */
import type { Pool } from '../net/types.ts'
import { linkTo } from '../route.ts'
import { nameOf } from '../words/name.ts'
import { PoolParent } from './pool-parent.tsx'

interface Step {
  readonly id: string
  readonly name: string
}

/** What is not known yet is not shown yet. `of`: the pool whose load balancer or door comes first. */
export function Crumbs({
  loadBalancer,
  of,
  pool,
}: {
  readonly loadBalancer?: Step | undefined
  readonly of?: Pool | undefined
  readonly pool?: Step | undefined
}) {
  return (
    <nav class="crumbs" aria-label="Where this is">
      <a href={linkTo.overview}>Overview</a>
      {loadBalancer === undefined ? null : (
        <a href={linkTo.loadBalancer(loadBalancer.id)}>{nameOf(loadBalancer)}</a>
      )}
      {of === undefined ? null : <PoolParent pool={of} />}
      {pool === undefined ? null : <a href={linkTo.pool(pool.id)}>{nameOf(pool)}</a>}
    </nav>
  )
}
