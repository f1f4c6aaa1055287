/** Bodies of elb pools (ELB API reference, pools). */
import Joi from 'joi'
import { DomainError } from '../../../../domain/errors.ts'
import { COOKIE_NAME_MAX, DEPENDS_ON_MAX, DESCRIPTION_MAX } from '../../../../domain/limits.ts'
import type { PoolOptionsPatch } from '../../../../domain/pool-health/pool-options.ts'
import {
  bodyRules,
  integer,
  invalidField,
  listOf,
  nullable,
  oneOf,
  readOnly,
  text,
  uuid,
} from '../../../schema/attributes.ts'
import { poolOptionsPatch } from '../../../schema/pool-options.ts'
import { ELB_PERSISTENCE_MINUTES_HTTP } from '../limits.ts'
import { ELB_LB_ALGORITHMS, ELB_PERSISTENCE_TYPES, ELB_POOL_PROTOCOLS } from '../words.ts'
import { FIXED, NAMED, OWNED, type Owned } from './every-object.ts'

export interface ElbSessionPersistence {
  readonly type: (typeof ELB_PERSISTENCE_TYPES)[number]
  readonly cookie_name?: string | null
  /** Minutes. */
  readonly persistence_timeout?: number | null
}

export interface ElbPoolChange {
  readonly name?: string
  readonly description?: string
  readonly admin_state_up?: boolean
  readonly depends_on?: readonly string[]
  readonly lb_algorithm?: (typeof ELB_LB_ALGORITHMS)[number]
  readonly session_persistence?: ElbSessionPersistence | null
  /** Ours. */
  readonly options?: PoolOptionsPatch | null
}

export interface ElbPoolCreate extends Owned, ElbPoolChange {
  readonly protocol: (typeof ELB_POOL_PROTOCOLS)[number]
  readonly lb_algorithm: (typeof ELB_LB_ALGORITHMS)[number]
  readonly loadbalancer_id?: string | null
  readonly listener_id?: string | null
}

/** The range of the timeout depends on the pool's protocol: the dialect holds the narrower one. */
const sessionPersistence = Joi.object({
  type: oneOf(ELB_PERSISTENCE_TYPES).required(),
  cookie_name: nullable(text(COOKIE_NAME_MAX)),
  persistence_timeout: nullable(integer(ELB_PERSISTENCE_MINUTES_HTTP)),
})

const OPTIONS = {
  ...NAMED,
  description: text(DESCRIPTION_MAX),
  session_persistence: nullable(sessionPersistence),
  depends_on: listOf(uuid(), DEPENDS_ON_MAX),
  options: poolOptionsPatch({
    invalid: invalidField,
    unknown: (within, name) => {
      const field = `${within}.${name}`
      return new DomainError('UNRECOGNIZED_ATTRIBUTE', `Unrecognized attribute(s) '${field}'`, { field })
    },
  }),
}

export const elbPoolCreate = bodyRules<ElbPoolCreate>('pool', {
  ...OPTIONS,
  ...OWNED,
  id: readOnly(),
  protocol: oneOf(ELB_POOL_PROTOCOLS).required(),
  lb_algorithm: oneOf(ELB_LB_ALGORITHMS).required(),
  loadbalancer_id: nullable(uuid()),
  listener_id: nullable(uuid()),
})

export const elbPoolUpdate = bodyRules<ElbPoolChange>('pool', {
  ...OPTIONS,
  ...FIXED,
  protocol: readOnly(),
  loadbalancer_id: readOnly(),
  listener_id: readOnly(),
  lb_algorithm: oneOf(ELB_LB_ALGORITHMS),
})
