/**
 * A door: an API whose objects are not those of LBaaS. It is below its prefix, and alone at the root of a listener of its own.
 * Its objects become pools with monitors (src/domain/door/), which the engine probes as any other (ADR 35).
 */
import type { Headers } from '../../identity/identity.ts'
import type { ServedApi } from './dialect.ts'

export interface Door<Name extends string = string> extends ServedApi {
  /** As pools, events and metrics name it. */
  readonly name: Name
  /** The headers of a request with its token where identities are read from; absent = as they came. */
  readonly headers?: (headers: Headers) => Headers
}
