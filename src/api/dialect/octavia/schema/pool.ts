/** Bodies of Octavia's pools (docs/peers/octavia.md 16). The declared order is the order of refusals. */
import type Joi from 'joi'
import { COOKIE_NAME_MAX, DEPENDS_ON_MAX, DESCRIPTION_MAX } from '../../../../domain/limits.ts'
import type { PoolOptionsPatch } from '../../../../domain/pool-health/pool-options.ts'
import { poolOptionsPatch } from '../../../schema/pool-options.ts'
import { OCTAVIA_REFERENCE_MAX, OCTAVIA_TLS_CIPHERS_MAX, OCTAVIA_TLS_VERSION_MAX } from '../limits.ts'
import {
  OCTAVIA_ALPN_PROTOCOLS,
  OCTAVIA_LB_ALGORITHMS,
  OCTAVIA_PERSISTENCE_TYPES,
  OCTAVIA_POOL_PROTOCOLS,
  type OctaviaLbAlgorithm,
  type OctaviaPoolProtocol,
} from '../words.ts'
import { type Common, NAMED, OWNED, TAGGED } from './every-object.ts'
import { wsmeWords } from './wsme-collections.ts'
import {
  mandatory,
  unknownAttributes,
  validationFailure,
  wsmeAddress,
  wsmeAnything,
  wsmeBoolean,
  wsmeInteger,
  wsmeObject,
  wsmeRules,
  wsmeText,
  wsmeTexts,
  wsmeUuid,
  wsmeUuids,
  wsmeWord,
} from './wsme.ts'

export interface OctaviaSessionPersistence {
  readonly type?: (typeof OCTAVIA_PERSISTENCE_TYPES)[number] | null
  readonly cookie_name?: string | null
  /** Seconds. */
  readonly persistence_timeout?: number | null
  readonly persistence_granularity?: string | null
}

/** The TLS settings of the pool, as stored in `echo`; its checks use them too (src/domain/target/pool-settings.ts). */
export interface OctaviaPoolEcho {
  readonly tls_enabled?: boolean | null
  readonly tls_container_ref?: string | null
  readonly ca_tls_container_ref?: string | null
  readonly crl_container_ref?: string | null
  readonly tls_ciphers?: string | null
  readonly tls_versions?: readonly string[] | null
  readonly alpn_protocols?: readonly string[] | null
}

export interface OctaviaPoolChange extends Common, OctaviaPoolEcho {
  readonly description?: string | null
  readonly lb_algorithm?: OctaviaLbAlgorithm | null
  readonly session_persistence?: OctaviaSessionPersistence | null
  /** Ours; not inside the create of a load balancer. */
  readonly depends_on?: readonly string[] | null
  /** Ours. */
  readonly options?: PoolOptionsPatch | null
}

export interface OctaviaPoolCreate extends OctaviaPoolChange {
  readonly loadbalancer_id?: string | null
  readonly listener_id?: string | null
  readonly protocol: OctaviaPoolProtocol | null
  readonly lb_algorithm: OctaviaLbAlgorithm | null
  readonly healthmonitor?: unknown
  readonly members?: unknown
}

const description = wsmeText({ max: DESCRIPTION_MAX })

function sessionPersistence(type: Joi.AnySchema): Joi.AnySchema {
  return wsmeObject({
    type,
    cookie_name: wsmeText({ max: COOKIE_NAME_MAX }),
    persistence_timeout: wsmeInteger({}),
    persistence_granularity: wsmeAddress(),
  })
}

const persistenceType = wsmeWord(OCTAVIA_PERSISTENCE_TYPES)
const containerRef = wsmeText({ max: OCTAVIA_REFERENCE_MAX })

const TLS = {
  tls_container_ref: containerRef,
  ca_tls_container_ref: containerRef,
  crl_container_ref: containerRef,
  tls_enabled: wsmeBoolean(),
  tls_ciphers: wsmeText({ max: OCTAVIA_TLS_CIPHERS_MAX }),
  tls_versions: wsmeTexts(OCTAVIA_TLS_VERSION_MAX),
  alpn_protocols: wsmeWords(OCTAVIA_ALPN_PROTOCOLS),
}

/** Ours, not Octavia's. */
const OWN = {
  depends_on: wsmeUuids(DEPENDS_ON_MAX),
  options: poolOptionsPatch({
    invalid: (option, reason) => validationFailure(`${option}: ${reason}.`),
    unknown: (within, name) => unknownAttributes(`pool_.pool.${within}`, [name]),
  }),
}

const DESCRIBED = { name: NAMED.name, description, admin_state_up: NAMED.admin_state_up }

/** What a pool has inside the create of a load balancer. */
export const OCTAVIA_INNER_POOL = {
  ...DESCRIBED,
  // Whether a definition is meant, which needs both, is seen when all names are known.
  protocol: wsmeWord(OCTAVIA_POOL_PROTOCOLS),
  lb_algorithm: wsmeWord(OCTAVIA_LB_ALGORITHMS),
  session_persistence: sessionPersistence(mandatory(persistenceType)),
  ...TAGGED,
  ...TLS,
  ...OWN,
}

export const octaviaPoolCreate = wsmeRules<OctaviaPoolCreate>('pool_', 'pool', {
  ...DESCRIBED,
  listener_id: wsmeUuid(),
  loadbalancer_id: wsmeUuid(),
  protocol: mandatory(wsmeWord(OCTAVIA_POOL_PROTOCOLS)),
  lb_algorithm: mandatory(wsmeWord(OCTAVIA_LB_ALGORITHMS)),
  session_persistence: sessionPersistence(mandatory(persistenceType)),
  ...OWNED,
  healthmonitor: wsmeAnything(),
  members: wsmeAnything(),
  ...TAGGED,
  ...TLS,
  ...OWN,
})

export const octaviaPoolUpdate = wsmeRules<OctaviaPoolChange>('pool_', 'pool', {
  name: NAMED.name,
  description,
  admin_state_up: NAMED.admin_state_up,
  lb_algorithm: wsmeWord(OCTAVIA_LB_ALGORITHMS),
  session_persistence: sessionPersistence(persistenceType),
  ...TAGGED,
  ...TLS,
  ...OWN,
})
