/** One form of the API: where it is, its errors, lists, policy and writes. Its resources are in files of their own. */
import type { DomainError } from '../../domain/errors.ts'
import type { CatalogueService } from '../../identity/development-catalogue.ts'
import type { PolicyRule } from '../../identity/policy-rule.ts'
import type { AccessRule } from '../http/access.ts'
import type { ApiContext, ApiDependencies, Route } from '../http/context.ts'
import type { DialectRules } from './dialect-rules.ts'

export interface ErrorAnswer {
  readonly status: number
  readonly body: unknown
  /** Absent = application/json. */
  readonly mediaType?: string
}

export interface ErrorWords {
  /** A refusal in the dialect's status, code and sentence. */
  readonly refusal: (refusal: DomainError, requestId: string) => ErrorAnswer
  /** The answer to an internal error: never a detail. */
  readonly internal: (requestId: string) => ErrorAnswer
}

export interface Dialect<Name extends string = string> extends DialectRules<Name>, ServedApi {
  /** The entries in Keystone's catalogue by which clients find it; none: clients need its URL. */
  readonly services: readonly CatalogueService[]
}

/** An API below a prefix, a dialect or our own: its errors, policy and routes. */
export interface ServedApi {
  /** Always mounted here; the default dialect also at the bare path. */
  readonly prefix: string
  readonly errors: ErrorWords
  /** Who may do what: a rule for each operation. */
  readonly policy: readonly PolicyRule[]
  /** Whether another project's object is forbidden or unknown. */
  readonly access: AccessRule
  readonly routes: (deps: ApiDependencies) => readonly Route[]
  /** Checks every request before its route is looked for. Throws DomainErrors. */
  readonly guard?: (ctx: ApiContext) => void
  /**
   * For a path that exists without this method: answers, or throws the dialect's refusal instead of METHOD_NOT_ALLOWED.
   * Returns whether it answered.
   */
  readonly otherMethod?: (ctx: ApiContext, allowed: ReadonlySet<string>) => boolean
}
