/**
 * What may be inside the create of a load balancer: listeners, pools, monitors, members (docs/peers/octavia.md 22).
 */
import { OCTAVIA_TREE_MEMBERS_MAX, OCTAVIA_TREE_PARENTS_MAX } from '../limits.ts'
import { OCTAVIA_INNER_HEALTH_MONITOR, type OctaviaHealthMonitorCreate } from './health-monitor.ts'
import { OCTAVIA_NEW_LISTENER, type OctaviaListenerCreate } from './listener.ts'
import { OCTAVIA_INNER_MEMBER, type OctaviaMemberCreate } from './member.ts'
import { OCTAVIA_INNER_POOL, type OctaviaPoolCreate } from './pool.ts'
import { wsmeObjects } from './wsme-collections.ts'
import { wsmeObject, wsmeRules } from './wsme.ts'

type InnerHealthMonitor = Omit<OctaviaHealthMonitorCreate, 'pool_id'>

/** A pool, or only the name of one that is defined elsewhere in the body. */
export interface InnerPool
  extends Omit<
    OctaviaPoolCreate,
    'loadbalancer_id' | 'listener_id' | 'protocol' | 'lb_algorithm' | 'members' | 'healthmonitor'
  > {
  readonly protocol?: OctaviaPoolCreate['protocol']
  readonly lb_algorithm?: OctaviaPoolCreate['lb_algorithm']
  readonly healthmonitor?: InnerHealthMonitor | null
  readonly members?: readonly OctaviaMemberCreate[] | null
}

export interface InnerListener extends Omit<OctaviaListenerCreate, 'loadbalancer_id'> {
  readonly default_pool?: InnerPool | null
}

const INNER_POOL = {
  ...OCTAVIA_INNER_POOL,
  healthmonitor: wsmeObject(OCTAVIA_INNER_HEALTH_MONITOR),
  members: wsmeObjects(OCTAVIA_INNER_MEMBER, OCTAVIA_TREE_MEMBERS_MAX),
}

/** A member inside `pools`, and inside the default pool of a listener: refused there. */
export const octaviaPoolsInnerMember = wsmeRules<OctaviaMemberCreate>(
  'load_balancer',
  'loadbalancer.pools.members',
  OCTAVIA_INNER_MEMBER,
)
export const octaviaListenersInnerMember = wsmeRules<OctaviaMemberCreate>(
  'load_balancer',
  'loadbalancer.listeners.default_pool.members',
  OCTAVIA_INNER_MEMBER,
)

/** Attributes of a load balancer's create. */
export const INNER_OBJECTS = {
  listeners: wsmeObjects(
    { ...OCTAVIA_NEW_LISTENER, default_pool: wsmeObject(INNER_POOL) },
    OCTAVIA_TREE_PARENTS_MAX,
  ),
  pools: wsmeObjects(INNER_POOL, OCTAVIA_TREE_PARENTS_MAX),
}
