/** Tags in elb's words: key and value apart, on the path that Terraform's provider reads them from. */
import type { Tag } from '../../../domain/types.ts'
import { parseBare } from '../../schema/attributes.ts'
import type { TagsDialect } from '../../resource/tags.ts'
import { type ElbTagsAction, elbTagsAction } from './schema/tags.ts'

export const elbTags: TagsDialect = {
  paths: (collection) => [`/v2.0/:project_id/${collection}/:id/tags`],
  parseAction(body) {
    const wire = parseBare(body, elbTagsAction)
    return (stored) => tagsAfter(stored, wire)
  },
  render: (tags) => ({ tags }),
}

/** An existing key gets the new value; a delete needs only the key, and ignores a value. */
function tagsAfter(stored: readonly Tag[], { action, tags }: ElbTagsAction): readonly Tag[] {
  const byKey = new Map(stored.map(({ key, value }) => [key, value]))
  for (const { key, value } of tags) {
    if (action === 'create') byKey.set(key, value ?? '')
    else byKey.delete(key)
  }
  return [...byKey].map(([key, value]) => ({ key, value }))
}
