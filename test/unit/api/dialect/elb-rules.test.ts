import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  assertPoolFitsListener,
  assertTypeFitsPool,
  assertTypeMayChange,
} from '../../../../src/api/dialect/elb/rules.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import {
  LISTENER_PROTOCOLS,
  MONITOR_TYPES,
  type MonitorType,
  POOL_PROTOCOLS,
  type PoolProtocol,
} from '../../../../src/domain/types.ts'

function refusal(act: () => void): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    assert.ok(error instanceof DomainError)
    return error.code
  }
}

describe('rules of elb', () => {
  it('let a UDP pool have UDP-CONNECT only, every other pool TCP or HTTP only', () => {
    for (const protocol of POOL_PROTOCOLS) {
      const allowed = MONITOR_TYPES.filter(
        (type) => refusal(() => assertTypeFitsPool(type, protocol)) === undefined,
      )
      assert.deepEqual(allowed, protocol === 'UDP' ? ['UDP-CONNECT'] : ['HTTP', 'TCP'], protocol)
    }
  })

  it('name in their refusal the types that the pool takes', () => {
    const message = (type: MonitorType, protocol: PoolProtocol) => {
      try {
        assertTypeFitsPool(type, protocol)
        return undefined
      } catch (error) {
        return error instanceof DomainError ? error.message : undefined
      }
    }
    const words = (protocol: string, types: string) =>
      `A pool of protocol ${protocol} takes health monitors of type ${types} only.`
    assert.equal(message('TCP', 'UDP'), words('UDP', 'UDP_CONNECT'))
    assert.equal(message('PING', 'TCP'), words('TCP', 'TCP or HTTP'))
  })

  it('let a type change between TCP and HTTP on TCP and HTTP pools, and be sent again everywhere', () => {
    for (const protocol of POOL_PROTOCOLS) {
      for (const from of MONITOR_TYPES) {
        for (const to of MONITOR_TYPES) {
          const allowed =
            from === to ||
            (/^(TCP|HTTP)$/.test(protocol) && /^(TCP|HTTP)$/.test(from) && /^(TCP|HTTP)$/.test(to))
          const code = refusal(() => assertTypeMayChange(from, to, protocol))
          assert.equal(code, allowed ? undefined : 'TYPE_IS_IMMUTABLE', `${from} to ${to} on ${protocol}`)
        }
      }
    }
  })

  it('give each listener the pool protocol that carries its traffic', () => {
    const pairs = LISTENER_PROTOCOLS.flatMap((listener) =>
      POOL_PROTOCOLS.filter(
        (pool) => refusal(() => assertPoolFitsListener(listener, pool)) === undefined,
      ).map((pool) => `${listener} ${pool}`),
    )
    assert.deepEqual(pairs, ['TCP TCP', 'UDP UDP', 'HTTP HTTP', 'TERMINATED_HTTPS HTTP'])
  })
})
