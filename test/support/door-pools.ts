/** Pools as a door would want them. */
import type { DoorMember, DoorMonitor, DoorPool, KeptDoorPool } from '../../src/domain/door/door-pool.ts'

export function doorMonitor(given: Partial<DoorMonitor> = {}): DoorMonitor {
  return {
    name: '',
    adminStateUp: true,
    type: 'TCP',
    profile: 'envoy',
    delaySeconds: 1,
    timeoutSeconds: 1,
    rise: 3,
    fall: 3,
    monitorPort: null,
    domainName: null,
    urlPath: null,
    httpMethod: null,
    httpVersion: null,
    expectedCodes: null,
    options: null,
    sentFields: ['rise', 'fall'],
    tags: [],
    echo: {},
    ...given,
  }
}

export function doorMember(protocolPort: number, given: Partial<DoorMember> = {}): DoorMember {
  return {
    name: '',
    adminStateUp: true,
    address: '127.0.0.1',
    protocolPort,
    weight: 1,
    monitorAddress: null,
    monitorPort: null,
    tags: [],
    echo: {},
    ...given,
  }
}

export function doorPool(key: string, given: Partial<DoorPool> = {}): DoorPool {
  return {
    key,
    name: key,
    adminStateUp: true,
    protocol: 'TCP',
    tags: [],
    echo: {},
    monitor: doorMonitor(),
    members: [doorMember(1001), doorMember(1002)],
    ...given,
  }
}

/** As it would be stored, under ids that follow from its names. */
export function keptPool(pool: DoorPool): KeptDoorPool {
  return {
    ...pool,
    id: `pool ${pool.key}`,
    shard: 0,
    trafficSeen: false,
    monitor: pool.monitor && { ...pool.monitor, id: `monitor ${pool.key}` },
    members: pool.members.map((member) => ({ ...member, id: `member ${member.protocolPort}` })),
  }
}
