/** The part of a dialect that the shared handlers ask for at each request: its name, how it lists and how it writes. */
import type { ListRules } from '../http/list-rules.ts'

/** How a dialect writes, where dialects differ for every resource alike. */
export interface WriteBehaviour {
  /** Below a parent that is not ACTIVE nothing may be written; without it, a parent's status stops nobody. */
  readonly needsActiveParents: boolean
  /** An update that changes nothing is a write all the same: `updated_at` moves. */
  readonly writesUnchanged: boolean
  /** An update may name what it cannot change, with the value that is shown. */
  readonly takesShownReadOnly: boolean
}

export interface DialectRules<Name extends string = string> {
  readonly name: Name
  readonly lists: ListRules
  readonly writes: WriteBehaviour
}
