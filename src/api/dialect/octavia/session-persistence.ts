/**
 * Session persistence of Octavia's pools. An update replaces all of it: of the absent attributes only the type is kept,
 * so that a cookie's name is removed with its type (octavia 19.0.0, `SessionPersistencePUT` and the pools' `put`).
 */
import type { Pool, PoolProtocol } from '../../../domain/types.ts'
import type { OctaviaSessionPersistence } from './schema/pool.ts'
import { invalidOption, validationFailure } from './schema/wsme.ts'

/** After an update: absent keeps what is stored, null removes it. Throws INVALID_FIELD. */
export function persistenceAfter(
  sent: OctaviaSessionPersistence | null | undefined,
  stored: Pick<Pool, 'protocol' | 'sessionPersistence'>,
): Pool['sessionPersistence'] {
  if (sent === undefined) return stored.sessionPersistence
  if (sent === null) return null
  const type = sent.type ?? (stored.sessionPersistence?.['type'] as OctaviaSessionPersistence['type'])
  if (type === undefined) throw validationFailure('Invalid session_persistence provided.')
  return persistenceOf({ ...sent, type }, stored.protocol)
}

/** What is stored of a new one. Throws INVALID_FIELD. */
export function persistenceOf(
  wire: OctaviaSessionPersistence | null,
  protocol: PoolProtocol,
): Pool['sessionPersistence'] {
  if (wire === null) return null
  assertFitsProtocol(wire, protocol)
  const { type = null, cookie_name: cookieName = null } = wire
  if (type === null) throw invalidOption(null, 'session_persistence type')
  assertCookie(type, cookieName)
  return {
    type,
    cookie_name: cookieName,
    persistence_timeout: wire.persistence_timeout ?? null,
    persistence_granularity: wire.persistence_granularity ?? null,
  }
}

/** Datagrams have no cookies; only they have a timeout and a granularity. */
function assertFitsProtocol(wire: OctaviaSessionPersistence, protocol: PoolProtocol): void {
  if (protocol !== 'UDP' && protocol !== 'SCTP') {
    if (!wire.persistence_timeout && !wire.persistence_granularity) return
    throw validationFailure(
      'persistence_timeout and persistence_granularity is only for UDP and SCTP protocol pools.',
    )
  }
  if (wire.cookie_name && wire.type === 'SOURCE_IP') {
    throw validationFailure(
      'session_persistence SOURCE_IP type for UDP and SCTP protocols only accepts: type, persistence_timeout, persistence_granularity.',
    )
  }
  if (wire.cookie_name) throw validationFailure('Cookie names are not supported for UDP/SCTP pools.')
  if (wire.type === 'HTTP_COOKIE' || wire.type === 'APP_COOKIE') {
    throw validationFailure(
      `Session persistence of type ${wire.type} is not supported for UDP/SCTP protocol pools.`,
    )
  }
}

/** Beside controls and blanks: the separators that RFC 2616 section 2.2 keeps out of the name of a cookie. */
const SEPARATORS = '"(),/:;<=>?@[\\]{}\u007f'

function isCookieName(name: string): boolean {
  return Array.from(name).every((character) => character > ' ' && !SEPARATORS.includes(character))
}

function assertCookie(type: string, cookieName: string | null): void {
  if (cookieName !== null && type !== 'APP_COOKIE') {
    throw validationFailure(
      'Field "cookie_name" can only be specified with session persistence of type "APP_COOKIE".',
    )
  }
  if (cookieName !== null && !isCookieName(cookieName)) {
    throw validationFailure('Supplied "cookie_name" is invalid.')
  }
  if (cookieName === null && type === 'APP_COOKIE') {
    throw validationFailure(
      'Field "cookie_name" must be specified when using the "APP_COOKIE" session persistence type.',
    )
  }
}
