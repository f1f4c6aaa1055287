/** Attributes that every Octavia object has (docs/peers/octavia.md 5). */
import { NAME_MAX } from '../../../../domain/limits.ts'
import { OCTAVIA_PROJECT_ID_MAX, OCTAVIA_TAG_MAX } from '../limits.ts'
import { wsmeBoolean, wsmeText, wsmeTexts } from './wsme.ts'

export const NAMED = { name: wsmeText({ max: NAME_MAX }), admin_state_up: wsmeBoolean() }
export const TAGGED = { tags: wsmeTexts(OCTAVIA_TAG_MAX) }
/** At create; a child belongs to the project of its load balancer, whatever this says. */
export const OWNED = {
  project_id: wsmeText({ max: OCTAVIA_PROJECT_ID_MAX }),
  tenant_id: wsmeText({ max: OCTAVIA_PROJECT_ID_MAX }),
}

export interface Common {
  readonly name?: string | null
  readonly admin_state_up?: boolean | null
  readonly tags?: readonly string[] | null
}
