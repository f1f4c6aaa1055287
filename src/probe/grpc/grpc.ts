/**
 * gRPC health checking (grpc.health.v1.Health/Check, gRPC's doc/health-checking.md) as one stream of HTTP/2. SERVING
 * with grpc-status 0 passes; any other status of the service, the call or HTTP, and an answer that is not gRPC, is
 * GRPC_NOT_SERVING, as in Envoy (docs/peers/probing.md 12).
 */
import { GRPC_MESSAGE_MAX_BYTES, USER_AGENT } from '../../domain/limits.ts'
import { isOwnMetadata } from '../../domain/target/own-headers.ts'
import type { GrpcRequest, Header, ProbeTarget } from '../../domain/target/probe-target.ts'
import type { Verdict } from '../wire/conversation.ts'
import { readHealthStatus, writeHealthRequest } from './grpc-message.ts'
import { isSafeHeader } from '../http/http-request.ts'
import type { StreamExchange } from '../http2/http2.ts'
import { Http2Request, Http2Requests } from '../http2/http2-request.ts'

const PATH = '/grpc.health.v1.Health/Check'
/** HealthCheckResponse.ServingStatus. */
const STATUS_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
const SERVING = 1

export class GrpcExchange implements StreamExchange {
  readonly request: Http2Request
  #httpStatus = 0
  #contentType = ''
  #grpcStatus = ''
  #message: Uint8Array[] = []
  #messageBytes = 0

  private constructor(request: Http2Request) {
    this.request = request
  }

  /** Undefined when something in the request must not go on the wire. `requests`: where it is kept. */
  static of(
    request: GrpcRequest,
    {
      scheme,
      timeoutMs,
      requests = new Http2Requests(),
    }: {
      readonly scheme: 'http' | 'https'
      readonly requests?: Http2Requests
    } & Pick<ProbeTarget, 'timeoutMs'>,
  ): GrpcExchange | undefined {
    const rendered = requests.of(request, `${scheme} ${timeoutMs}`, () => {
      const headers = headersOf(request, scheme, timeoutMs)
      return headers && new Http2Request(headers, writeHealthRequest(request.service))
    })
    return rendered && new GrpcExchange(rendered)
  }

  get hasHead(): boolean {
    return this.#httpStatus >= 200
  }

  get hasFirstByte(): boolean {
    return this.hasHead
  }

  reset(): void {
    this.#httpStatus = 0
    this.#contentType = ''
    this.#grpcStatus = ''
    this.#message = []
    this.#messageBytes = 0
  }

  onHeader(name: string, value: string): void {
    if (name === ':status') this.#httpStatus = Number(value)
    else if (name === 'content-type') this.#contentType = value
    else if (name === 'grpc-status') this.#grpcStatus = value
  }

  onHeadersEnd(): Verdict | undefined {
    if (this.#httpStatus >= 100 && this.#httpStatus < 200) {
      this.#contentType = ''
      this.#grpcStatus = ''
      return undefined
    }
    if (this.#httpStatus !== 200) return notServing(`HTTP status ${this.#httpStatus}`)
    if (!/^application\/grpc(?:$|[+;])/i.test(this.#contentType)) return notServing('the answer is not gRPC')
    return undefined
  }

  onBody(bytes: Uint8Array): Verdict | undefined {
    this.#messageBytes += bytes.length
    if (this.#messageBytes > GRPC_MESSAGE_MAX_BYTES) return notServing('the answer is no HealthCheckResponse')
    // A copy: the bytes are the reader's.
    this.#message.push(Buffer.from(bytes))
    return undefined
  }

  /** Nothing is sure before the trailers. */
  standing(): undefined {
    return undefined
  }

  judge(): Verdict {
    if (this.#grpcStatus !== '0') {
      return notServing(
        /^\d{1,3}$/.test(this.#grpcStatus) ? `grpc-status ${this.#grpcStatus}` : 'no grpc-status',
      )
    }
    const status = readHealthStatus(Buffer.concat(this.#message))
    if (status === undefined) return notServing('the answer is no HealthCheckResponse')
    const name = STATUS_NAMES[status] ?? `status ${status}`
    return status === SERVING ? { reason: 'PASSED', detail: name } : notServing(name)
  }
}

function headersOf(
  { authority, metadata }: GrpcRequest,
  scheme: string,
  timeoutMs: number,
): readonly Header[] | undefined {
  const isSafe = metadata.every(({ name, value }) => isSafeHeader(name, value))
  if (!isSafe || !isSafeHeader('x', authority)) return undefined
  return [
    { name: ':method', value: 'POST' },
    { name: ':scheme', value: scheme },
    { name: ':path', value: PATH },
    { name: ':authority', value: authority },
    { name: 'content-type', value: 'application/grpc' },
    { name: 'te', value: 'trailers' },
    { name: 'user-agent', value: USER_AGENT },
    { name: 'grpc-timeout', value: `${Math.min(timeoutMs, 99_999_999)}m` },
    ...metadata
      .filter(({ name }) => !isOwnMetadata(name))
      .map(({ name, value }) => ({ name: name.toLowerCase(), value: value.trim() })),
  ]
}

function notServing(detail: string): Verdict {
  return { reason: 'GRPC_NOT_SERVING', detail }
}
