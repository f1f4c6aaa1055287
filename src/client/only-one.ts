/** A person named one object: it is there once, or a sentence says why not. */
import { CLIENT_NAMED_MAX } from '../domain/limits.ts'
import { mistake } from './failure.ts'

export interface Sought {
  readonly kind: 'load balancer' | 'pool' | 'member' | 'webhook'
  /** What the person wrote. */
  readonly named: string
  /** Where it was sought, for the sentence: ` in pool app`. */
  readonly where?: string
  /** What helps when there are several. */
  readonly hint?: string
}

/** The one row. Throws ClientFailure when there is none, or more than one. */
export function onlyOne<Row extends { readonly id: string }>(
  { kind, named, where = '', hint = 'an id says which' }: Sought,
  rows: readonly Row[],
): Row {
  const [first, ...others] = rows
  if (first === undefined) throw mistake(`there is no ${kind} ${JSON.stringify(named)}${where}`)
  if (others.length === 0) return first
  const ids = rows.slice(0, CLIENT_NAMED_MAX).map(({ id }) => id)
  const more = rows.length > CLIENT_NAMED_MAX ? ', …' : ''
  throw mistake(
    `${JSON.stringify(named)} is the name of several ${kind}s${where}: ${ids.join(', ')}${more} (${hint})`,
  )
}
