/** Bodies of Octavia's listeners (docs/peers/octavia.md 20). The declared order is the order of refusals. */
import { CONNECTION_LIMIT, DESCRIPTION_MAX, PORT } from '../../../../domain/limits.ts'
import {
  OCTAVIA_HEADER_VALUE_MAX,
  OCTAVIA_HSTS_SECONDS,
  OCTAVIA_REFERENCE_MAX,
  OCTAVIA_TIMEOUT_MS,
  OCTAVIA_TLS_CIPHERS_MAX,
  OCTAVIA_TLS_VERSION_MAX,
} from '../limits.ts'
import { OCTAVIA_ALPN_PROTOCOLS, OCTAVIA_LISTENER_PROTOCOLS, type OctaviaListenerProtocol } from '../words.ts'
import { type Common, NAMED, OWNED, TAGGED } from './every-object.ts'
import { wsmeCidrs, wsmeEmptyList, wsmeTextByName, wsmeWords } from './wsme-collections.ts'
import {
  mandatory,
  wsmeBoolean,
  wsmeInteger,
  wsmeRules,
  wsmeText,
  wsmeTexts,
  wsmeUuid,
  wsmeWord,
} from './wsme.ts'

/** Sent or not, null resets; only stored and returned. */
export interface OctaviaListenerEcho {
  readonly connection_limit?: number | null
  readonly default_tls_container_ref?: string | null
  readonly sni_container_refs?: readonly string[] | null
  readonly insert_headers?: Readonly<Record<string, string>> | null
  readonly timeout_client_data?: number | null
  readonly timeout_member_connect?: number | null
  readonly timeout_member_data?: number | null
  readonly timeout_tcp_inspect?: number | null
  readonly client_ca_tls_container_ref?: string | null
  readonly client_authentication?: 'NONE' | 'OPTIONAL' | 'MANDATORY' | null
  readonly client_crl_container_ref?: string | null
  readonly allowed_cidrs?: readonly string[] | null
  readonly tls_ciphers?: string | null
  readonly tls_versions?: readonly string[] | null
  readonly alpn_protocols?: readonly string[] | null
  readonly hsts_max_age?: number | null
  readonly hsts_include_subdomains?: boolean | null
  readonly hsts_preload?: boolean | null
}

export interface OctaviaListenerChange extends Common, OctaviaListenerEcho {
  readonly description?: string | null
  readonly default_pool_id?: string | null
}

export interface OctaviaListenerCreate extends OctaviaListenerChange {
  readonly protocol: OctaviaListenerProtocol | null
  readonly protocol_port: number | null
  readonly loadbalancer_id: string | null
}

const CLIENT_AUTHENTICATIONS = ['NONE', 'OPTIONAL', 'MANDATORY']

const reference = wsmeText({ max: OCTAVIA_REFERENCE_MAX })
const timeout = wsmeInteger(OCTAVIA_TIMEOUT_MS)

const CERTIFICATES = {
  connection_limit: wsmeInteger(CONNECTION_LIMIT),
  default_tls_container_ref: reference,
  sni_container_refs: wsmeTexts(OCTAVIA_REFERENCE_MAX),
}

const LATER = {
  insert_headers: wsmeTextByName(OCTAVIA_HEADER_VALUE_MAX),
  timeout_client_data: timeout,
  timeout_member_connect: timeout,
  timeout_member_data: timeout,
  timeout_tcp_inspect: timeout,
  ...TAGGED,
  client_ca_tls_container_ref: reference,
  client_authentication: wsmeWord(CLIENT_AUTHENTICATIONS),
  client_crl_container_ref: reference,
  allowed_cidrs: wsmeCidrs(),
  tls_ciphers: wsmeText({ max: OCTAVIA_TLS_CIPHERS_MAX }),
  tls_versions: wsmeTexts(OCTAVIA_TLS_VERSION_MAX),
  alpn_protocols: wsmeWords(OCTAVIA_ALPN_PROTOCOLS),
  hsts_max_age: wsmeInteger(OCTAVIA_HSTS_SECONDS),
  hsts_include_subdomains: wsmeBoolean(),
  hsts_preload: wsmeBoolean(),
}

const DESCRIBED = {
  name: NAMED.name,
  description: wsmeText({ max: DESCRIPTION_MAX }),
  admin_state_up: NAMED.admin_state_up,
}

/** What a listener is made of, alone or inside the create of a load balancer. */
export const OCTAVIA_NEW_LISTENER = {
  ...DESCRIBED,
  protocol: mandatory(wsmeWord(OCTAVIA_LISTENER_PROTOCOLS)),
  protocol_port: mandatory(wsmeInteger(PORT)),
  ...CERTIFICATES,
  default_pool_id: wsmeUuid(),
  l7policies: wsmeEmptyList('This service routes no traffic: there are no L7 policies'),
  ...LATER,
}

export const octaviaListenerCreate = wsmeRules<OctaviaListenerCreate>('listener_', 'listener', {
  ...OCTAVIA_NEW_LISTENER,
  ...OWNED,
  loadbalancer_id: mandatory(wsmeUuid()),
})

export const octaviaListenerUpdate = wsmeRules<OctaviaListenerChange>('listener_', 'listener', {
  ...DESCRIBED,
  ...CERTIFICATES,
  default_pool_id: wsmeUuid(),
  ...LATER,
})
