/** What a probe sends, in the forms that both generations share: headers, paths, base64. What a prober would not send is refused. */
import { FIELD_VALUE, HEADER_NAME } from '../../../../domain/options/header-forms.ts'
import { OPTION_HEADER_VALUE_MAX, OPTION_STATUS_RANGES_MAX, URL_PATH_MAX } from '../../../../domain/limits.ts'
import { standardBase64 } from '../../../../domain/kuma/base64.ts'
import { RECEIVE_MAX, SENT_MAX } from '../../../../domain/kuma/limits.ts'
import { rangesOf } from '../../../../domain/kuma/monitor-of-conf.ts'
import { isOwnHeader } from '../../../../domain/target/own-headers.ts'
import type { Fields } from './fields.ts'

/** Characters of base64 that our options take: 3 KiB, and 768 bytes of each block. */
const SEND_MAX = 4096
const BLOCK_MAX = 1024

/** `tcp` of a conf. Undecodable base64 is noted. */
export function readExchange(tcp: Fields): { send?: string; receive?: readonly string[] } {
  const send = tcp.text('send', SEND_MAX)
  const receive = tcp.texts('receive', RECEIVE_MAX)
  if (send !== undefined && standardBase64(send) === undefined) tcp.note(tcp.at('send'), NO_BASE64)
  for (const [i, block] of receive.entries()) {
    const field = `${tcp.at('receive')}[${i}]`
    if (standardBase64(block) === undefined) tcp.note(field, NO_BASE64)
    else if (block.length > BLOCK_MAX) tcp.note(field, `in body should be at most ${BLOCK_MAX} chars long`)
  }
  noteTooLong(tcp, tcp.at('receive'), receive)
  return {
    ...(send === undefined || send === '' ? {} : { send }),
    ...(receive.length === 0 ? {} : { receive }),
  }
}

const NO_BASE64 = 'must be base64'

/** Texts that are hexadecimal too, as Envoy reads what Kuma 2 gives it (docs/peers/kuma.md 11): their author may have meant that. */
export function hexWarnings(
  tcp: Fields,
  { send, receive = [] }: { readonly send?: string; readonly receive?: readonly string[] },
): readonly string[] {
  const texts = [
    ...(send === undefined ? [] : [[tcp.at('send'), send] as const]),
    ...receive.map((block, i) => [`${tcp.at('receive')}[${i}]`, block] as const),
  ]
  return texts
    .filter(([, text]) => HEX.test(text))
    .map(
      ([field]) =>
        `${field} is read as base64, as documented; it is hexadecimal too, as Envoy reads it in Kuma 2`,
    )
}

const HEX = /^([0-9a-fA-F]{2})+$/

/** Notes a header that no probe sends: its own ones, and what is no token or no field value (RFC 9110 section 5). */
export function assertHeader(
  { name, value }: { readonly name: string; readonly value: string },
  on: { readonly fields: Fields; readonly name: string; readonly value: string },
): void {
  if (name.length > HEADER_NAME.max || !HEADER_NAME.pattern.test(name))
    on.fields.note(on.name, 'must be the name of a header')
  else if (isOwnHeader(name)) on.fields.note(on.name, `${name} is set by the probe itself`)
  if (value.length > OPTION_HEADER_VALUE_MAX || !FIELD_VALUE.test(value))
    on.fields.note(on.value, 'must be the value of a header, of visible characters')
}

/** Notes texts that together are too long. */
export function noteTooLong(fields: Fields, field: string, texts: readonly string[]): void {
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  if (length > SENT_MAX) fields.note(field, `must have at most ${SENT_MAX} characters in all`)
}

/** Why statuses are too many; undefined = they are not. */
export function statusesProblem(statuses: readonly number[]): string | undefined {
  const max = OPTION_STATUS_RANGES_MAX
  return rangesOf(statuses).length > max ? `must be at most ${max} ranges of statuses` : undefined
}

/** Why a path cannot be sent; undefined = it can. */
export function pathProblem(path: string): string | undefined {
  if (path.length > URL_PATH_MAX) return `in body should be at most ${URL_PATH_MAX} chars long`
  return /^\/[!-~]*$/.test(path) ? undefined : 'must begin with a slash, and have visible characters only'
}
