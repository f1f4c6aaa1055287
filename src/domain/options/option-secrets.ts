/** Options as they are shown, and back: secret header values are masked, and a mask that is sent keeps what is stored. */
import { DomainError } from '../errors.ts'
import type { MonitorOptions } from './monitor-options.ts'
import { isSecretHeader, MASK, maskedValue, type Named } from './secret-headers.ts'

/** The options as they are shown. */
export function maskedOptions(options: MonitorOptions): MonitorOptions {
  return withHeaders(options, maskedValue)
}

/**
 * The options with stored secrets in the places where the mask was sent back: by name, and among those of one name by
 * their order. Throws INVALID_FIELD when there is no stored value for a mask.
 */
export function unmaskedOptions(sent: MonitorOptions, stored: MonitorOptions | null): MonitorOptions {
  return withHeaders(sent, (header, nth, list) => {
    if (header.value !== MASK || !isSecretHeader(header.name)) return header.value
    const known = headersOf(stored, list).filter(({ name }) => isSameName(name, header.name))[nth]
    if (known?.value !== undefined) return known.value
    const field = `options.${list}`
    const reason = `'${MASK}' stands for a stored value of ${header.name}, and there is none`
    throw new DomainError('INVALID_FIELD', `Validation failure: ${field}: ${reason}.`, { field, reason })
  })
}

type HeaderList = 'http.headers' | 'grpc.metadata'

function headersOf(options: MonitorOptions | null, list: HeaderList): readonly Named[] {
  return (list === 'http.headers' ? options?.http?.headers : options?.grpc?.metadata) ?? []
}

function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

/** `nth`: how many of the same name come before it. */
type ValueOf = (header: Named, nth: number, list: HeaderList) => string | undefined

function withHeaders(options: MonitorOptions, valueOf: ValueOf): MonitorOptions {
  const { http, grpc } = options
  return {
    ...options,
    ...(http?.headers === undefined
      ? {}
      : { http: { ...http, headers: withValues(http.headers, 'http.headers', valueOf) } }),
    ...(grpc?.metadata === undefined
      ? {}
      : { grpc: { ...grpc, metadata: withValues(grpc.metadata, 'grpc.metadata', valueOf) } }),
  }
}

function withValues<Header extends Named>(
  headers: readonly Header[],
  list: HeaderList,
  valueOf: ValueOf,
): readonly Header[] {
  return headers.map((header, i) => {
    const nth = headers.slice(0, i).filter(({ name }) => isSameName(name, header.name)).length
    const value = valueOf(header, nth, list)
    return value === undefined ? header : { ...header, value }
  })
}
