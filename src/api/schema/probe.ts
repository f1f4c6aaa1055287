/** The body of a request for a probe now, the same in every dialect: an extension of ours. */
import { bodyRules, boolean, parseBody } from './attributes.ts'

interface ProbeBody {
  readonly counted?: boolean
}

export const probeBody = bodyRules<ProbeBody>('probe', { counted: boolean() })

/** Not counted unless the body says so; without a body neither. Throws as `parseBody`. */
export function parseProbe(body: unknown): Required<ProbeBody> {
  return { counted: body === undefined ? false : (parseBody(body, probeBody).counted ?? false) }
}
