/**
 * A client of a running service's API, with one identity: a token of Keystone, or a project id where there is no
 * identity.
 */
import { URL_MAX_BYTES } from '../domain/limits.ts'
import { type ClientFailure, mistake, refused, unreachable } from './failure.ts'
import { Http, type HttpAnswer, type HttpRequest } from './http.ts'
import { endpointOf, signIn, type SignIn, type Variables } from './keystone.ts'

/** Where the service is, and with which identity it is called. */
export interface ServiceOptions {
  /** `--url`. */
  readonly url: string | undefined
  /** Where it is when neither `--url` nor OS_AUTH_URL says. */
  readonly defaultUrl: () => string
  /** The project, where there is no Keystone; undefined = that of the service's settings. */
  readonly project: string | undefined
  readonly variables: Variables
  /** OS_CACERT, read. */
  readonly authorities: Buffer | undefined
}

/** The service in Keystone's catalogue. */
const SERVICE_TYPE = 'load-balancer'
/** The dialect in whose lists objects are found by name; and the one with a list of all members. */
export const OCTAVIA = '/load-balancer/v2.0/lbaas'
export const ELB = '/elb/v2.0/lbaas'

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Call {
  readonly query?: Query
  readonly body?: unknown
  readonly patienceMs?: number
}

export class Service {
  readonly #http: Http
  readonly #options: ServiceOptions
  #signedIn: SignIn | undefined
  /** Without a slash at its end. */
  readonly url: string

  private constructor(
    http: Http,
    options: ServiceOptions,
    { url, signedIn }: { url: string; signedIn?: SignIn },
  ) {
    this.#http = http
    this.#options = options
    this.#signedIn = signedIn
    this.url = url
  }

  /** Signs in where there is a Keystone. Throws ClientFailure. */
  static async open(options: ServiceOptions): Promise<Service> {
    const http = new Http(options.authorities)
    const { variables } = options
    if (variables('OS_AUTH_URL') === undefined || variables('OS_AUTH_TYPE') === 'none') {
      return new Service(http, options, { url: checkedUrl(options.url ?? options.defaultUrl()) })
    }
    const signedIn = await signIn(http, variables)
    const url = options.url ?? endpointOf(signedIn.catalog, SERVICE_TYPE, variables)
    return new Service(http, options, { url: checkedUrl(url), signedIn })
  }

  /** The project of the requests; undefined = the default one of a service without identity. */
  get projectId(): string | undefined {
    return this.#signedIn === undefined ? this.#options.project : this.#signedIn.projectId
  }

  async get<Body>(path: string, call: Call = {}): Promise<Body> {
    return (await this.#bodyOf('GET', path, call)) as Body
  }

  /** Undefined where the answer has no body. */
  async post<Body>(path: string, call: Call = {}): Promise<Body> {
    return (await this.#bodyOf('POST', path, call)) as Body
  }

  async put<Body>(path: string, body: unknown): Promise<Body> {
    return (await this.#bodyOf('PUT', path, { body })) as Body
  }

  async delete(path: string): Promise<void> {
    await this.#bodyOf('DELETE', path, {})
  }

  /** The response, with any status. Throws ClientFailure when there is none. */
  async exchange(
    method: HttpRequest['method'],
    path: string,
    { query, body, patienceMs = 0 }: Call,
  ): Promise<HttpAnswer> {
    const url = this.#urlOf(path, query)
    const send = () =>
      this.#http.exchange({
        method,
        url,
        headers: this.#headers(),
        patienceMs,
        ...(body === undefined ? {} : { body }),
      })
    const answer = await send()
    return answer.status === 401 && (await this.#renewed()) ? await send() : answer
  }

  /** A response of a stream of events: 200. Throws ClientFailure. */
  async stream(
    path: string,
    query: Query,
    more: { readonly lastEventId?: string; readonly signal?: AbortSignal },
  ) {
    const url = this.#urlOf(path, query)
    const open = () => {
      const id: Record<string, string> =
        more.lastEventId === undefined ? {} : { 'last-event-id': more.lastEventId }
      return this.#http.stream(url, { ...this.#headers(), ...id }, more.signal)
    }
    let response = await open()
    if (response.statusCode === 401 && (await this.#renewed())) {
      await response.body.dump()
      response = await open()
    }
    if (response.statusCode === 200) return response
    throw this.#refusal(path, response.statusCode, await this.#http.wholeJson(url, response))
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  async #bodyOf(method: HttpRequest['method'], path: string, call: Call): Promise<unknown> {
    const { status, headers, body } = await this.exchange(method, path, call)
    if (status >= 300) throw this.#refusal(path, status, body, headers['retry-after'] !== undefined)
    return body
  }

  /** Signs in again: a token may expire while a command runs. */
  async #renewed(): Promise<boolean> {
    if (this.#signedIn === undefined) return false
    this.#signedIn = await signIn(this.#http, this.#options.variables)
    return true
  }

  #headers(): Readonly<Record<string, string>> {
    if (this.#signedIn !== undefined) return { 'x-auth-token': this.#signedIn.token }
    return this.#options.project === undefined ? {} : { 'x-project-id': this.#options.project }
  }

  #urlOf(path: string, query: Query = {}): string {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      if (value === undefined) continue
      for (const each of typeof value === 'string' ? [value] : value) parameters.append(name, each)
    }
    const url = `${this.url}${path}${parameters.size === 0 ? '' : `?${parameters.toString()}`}`
    if (url.length > URL_MAX_BYTES) throw mistake('the names are too long for a request')
    return url
  }

  /** `isPassing`: the service says when to try again. */
  #refusal(path: string, status: number, body: unknown, isPassing = false): ClientFailure {
    const sentence = sentenceOf(body)
    if (status === 401) {
      const how =
        this.#signedIn === undefined
          ? 'it requires a token; set OS_AUTH_URL and the other OS_* variables'
          : sentence
      return refused(`${this.url} refuses the request: ${how}`)
    }
    if (status === 404 && sentence === '')
      return refused(`${this.url} is not a healthmonitor service: it has no ${path}`)
    if (status === 400 || status === 404 || (status === 409 && !isPassing))
      return mistake(sentence === '' ? `${status}` : sentence)
    if (status === 503 && isStarting(body))
      return unreachable(
        `${this.url} is starting: it answers when it has its database. Try again in some seconds`,
      )
    const said = `${this.url} refuses: ${sentence === '' ? status : sentence}`
    return status >= 500 || status === 429 || isPassing ? unreachable(said) : refused(said)
  }
}

/** Whether it is the answer of a service that is not ready yet. */
function isStarting(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'status' in body && body.status === 'starting'
}

/** Throws ClientFailure if the text is no URL. Removes the path of the dialect, which the catalogue includes. */
function checkedUrl(text: string): string {
  const url = text.replace(/\/+$/, '').replace(/\/load-balancer(\/v2(\.0)?(\/lbaas)?)?$/, '')
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw mistake(`${JSON.stringify(text)} is no address like http://127.0.0.1:9876`)
}

/** The sentence of a refusal, in whichever form the API gives it; empty when it has none. */
export function sentenceOf(body: unknown): string {
  if (typeof body !== 'object' || body === null) return ''
  const said = body as Readonly<Record<string, unknown>>
  const found = said['detail'] ?? said['faultstring'] ?? said['error_msg']
  if (typeof found === 'string') return found
  return typeof said['error'] === 'object' ? controlSentenceOf(said['error'] as ControlError | null) : ''
}

/** A refusal of Grey Matter's control API. */
interface ControlError {
  readonly message?: unknown
  readonly details?: { readonly errors?: readonly { readonly attribute: string; readonly msg: string }[] }
}

/** The message, and each attribute that is wrong with what is wrong with it. */
function controlSentenceOf(error: ControlError | null): string {
  if (typeof error?.message !== 'string') return ''
  const problems = (error.details?.errors ?? []).map(({ attribute, msg }) => `${attribute} ${msg}`)
  return problems.length === 0 ? error.message : `${error.message}: ${problems.join('; ')}`
}
