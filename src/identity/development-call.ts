/** Requests and answers of the development identity, independent of any framework. */
import { type CatalogueService, catalogue } from './development-catalogue.ts'
import type { Claims } from './development-token.ts'

export interface DevelopmentRequest {
  readonly method: string
  /** Starts with `/identity`, no slash at the end. */
  readonly path: string
  readonly query: URLSearchParams
  readonly authToken: string | undefined
  readonly subjectToken: string | undefined
  /** The body as it came. */
  readonly body: string
  /** Scheme and authority by which the client reached us, or HM_PUBLIC_URL. */
  readonly baseUrl: string
  /** Services of the dialects, for the catalogue. */
  readonly services: readonly CatalogueService[]
}

export interface DevelopmentAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Absent: no body. */
  readonly body?: object
}

/** A request, taken apart. */
export interface Call {
  readonly request: DevelopmentRequest
  /** Region that the path named. */
  readonly region: string | undefined
  /** Path below `/v3`. */
  readonly path: string
}

/** The catalogue that the holder of a token is shown. */
export function catalogueOf({ request, region }: Call, { scope }: Claims): readonly object[] {
  const project = scope.kind === 'project' ? scope.project : undefined
  const { baseUrl, services } = request
  return catalogue({ baseUrl, services, region, project })
}
