/** Bodies of elb listeners (ELB API reference, listeners). */
import Joi from 'joi'
import { CONNECTION_LIMIT, DESCRIPTION_MAX, NAME_MAX, PORT } from '../../../../domain/limits.ts'
import {
  bodyRules,
  boolean,
  integer,
  listOf,
  nullable,
  oneOf,
  readOnly,
  text,
  uuid,
} from '../../../schema/attributes.ts'
import { ELB_CONTAINER_REF_MAX, ELB_SNI_REFS_MAX } from '../limits.ts'
import { ELB_LISTENER_PROTOCOLS } from '../words.ts'
import { FIXED, NAMED, OWNED, type Owned } from './every-object.ts'

export const ELB_TLS_CIPHERS_POLICIES = ['tls-1-0', 'tls-1-1', 'tls-1-2', 'tls-1-2-strict'] as const

/** What elb only stores and gives back, as it lies in `echo`. */
export interface ElbListenerEcho {
  readonly connection_limit?: number
  readonly http2_enable?: boolean
  readonly default_tls_container_ref?: string | null
  readonly client_ca_tls_container_ref?: string | null
  readonly sni_container_refs?: readonly string[] | null
  readonly tls_ciphers_policy?: string | null
}

/** What only the v3 path knows. */
export interface ElbV3ListenerEcho {
  readonly transparent_client_ip_enable?: boolean | null
  readonly ipgroup?: Readonly<Record<string, unknown>> | null
}

export interface ElbListenerChange extends ElbListenerEcho, ElbV3ListenerEcho {
  readonly name?: string
  readonly description?: string
  readonly admin_state_up?: boolean
  readonly default_pool_id?: string | null
}

export interface ElbListenerCreate extends Owned, ElbListenerChange {
  readonly protocol: (typeof ELB_LISTENER_PROTOCOLS)[number]
  readonly protocol_port: number
  readonly loadbalancer_id: string
}

const containerRef = nullable(text(ELB_CONTAINER_REF_MAX))

const OPTIONS = {
  ...NAMED,
  description: text(DESCRIPTION_MAX),
  default_pool_id: nullable(uuid()),
  connection_limit: integer(CONNECTION_LIMIT),
  http2_enable: boolean(),
  default_tls_container_ref: containerRef,
  client_ca_tls_container_ref: containerRef,
  sni_container_refs: nullable(listOf(text(ELB_CONTAINER_REF_MAX), ELB_SNI_REFS_MAX)),
  tls_ciphers_policy: nullable(oneOf(ELB_TLS_CIPHERS_POLICIES)),
}

const ipGroup = Joi.object({
  ipgroup_id: text(NAME_MAX),
  enable_ipgroup: boolean(),
  type: oneOf(['white', 'black']),
})

const UPDATE = {
  ...OPTIONS,
  ...FIXED,
  protocol: readOnly(),
  protocol_port: readOnly(),
  loadbalancer_id: readOnly(),
}

export const elbListenerCreate = bodyRules<ElbListenerCreate>('listener', {
  ...OPTIONS,
  ...OWNED,
  id: readOnly(),
  protocol: oneOf(ELB_LISTENER_PROTOCOLS).required(),
  protocol_port: integer(PORT).required(),
  loadbalancer_id: uuid().required(),
})

export const elbListenerUpdate = bodyRules<ElbListenerChange>('listener', UPDATE)

/** `PUT /v3/{project_id}/elb/listeners/{id}`: Terraform's provider sets these two there. */
export const elbV3ListenerUpdate = bodyRules<ElbListenerChange>('listener', {
  ...UPDATE,
  transparent_client_ip_enable: nullable(boolean()),
  ipgroup: nullable(ipGroup),
})
