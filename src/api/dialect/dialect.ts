/** One form of the API: where it is, its errors, lists, policy and writes. Its resources are in files of their own. */
import type { DomainError } from '../../domain/errors.ts'
import type { CatalogueService } from '../../identity/development-catalogue.ts'
import type { PolicyRule } from '../../identity/policy-rule.ts'
import type { AccessRule } from '../access.ts'
import type { ApiContext, ApiDependencies, Route } from '../context.ts'
import type { DialectRules } from './dialect-rules.ts'

export interface ErrorAnswer {
  readonly status: number
  readonly body: unknown
}

export interface ErrorWords {
  /** A refusal in the dialect's status, code and sentence. */
  readonly refusal: (refusal: DomainError, requestId: string) => ErrorAnswer
  /** What is said when the mistake is ours: never a detail. */
  readonly internal: (requestId: string) => ErrorAnswer
}

export interface Dialect<Name extends string = string> extends DialectRules<Name> {
  /** Always mounted here; the default dialect also at the bare path. */
  readonly prefix: string
  /** How clients find it in the catalogue of Keystone; none: they are told its address. */
  readonly services: readonly CatalogueService[]
  readonly errors: ErrorWords
  /** Who may do what: a rule for each operation. */
  readonly policy: readonly PolicyRule[]
  /** Whether another project's object is forbidden or unknown. */
  readonly access: AccessRule
  readonly routes: (deps: ApiDependencies) => readonly Route[]
  /** Held against every request before anybody looks for its path. Throws DomainErrors. */
  readonly guard?: (ctx: ApiContext) => void
  /**
   * A path that exists, asked with a method that it has not: answers, or throws what the dialect says instead of
   * METHOD_NOT_ALLOWED. Whether it answered.
   */
  readonly otherMethod?: (ctx: ApiContext, allowed: ReadonlySet<string>) => boolean
}
