/** The bodies of public pages. */
import { PROJECT_ID_MAX, PUBLIC_PAGE_POOLS_MAX, PUBLIC_PAGE_TITLE_MAX } from '../../domain/limits.ts'
import { bodyRules, boolean, listOf, text, uuid } from '../schema/attributes.ts'

export interface PublicPageBody {
  readonly title?: string
  readonly pools?: readonly string[]
  readonly show_members?: boolean
}

const ATTRIBUTES = {
  title: text(PUBLIC_PAGE_TITLE_MAX),
  pools: listOf(uuid(), PUBLIC_PAGE_POOLS_MAX),
  show_members: boolean(),
} as const

export const publicPageCreate = bodyRules<
  PublicPageBody & { readonly project_id?: string; readonly title: string; readonly pools: readonly string[] }
>('public_page', {
  ...ATTRIBUTES,
  project_id: text(PROJECT_ID_MAX),
  title: ATTRIBUTES.title.required(),
  pools: ATTRIBUTES.pools.required(),
})

export const publicPageUpdate = bodyRules<PublicPageBody>('public_page', ATTRIBUTES)
