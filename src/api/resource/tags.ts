/** `…/{loadbalancers|listeners}/{id}/tags`: read, and create or delete many at once. */
import { DomainError, notFound } from '../../domain/errors.ts'
import { TAGS_MAX } from '../../domain/limits.ts'
import type { Tag } from '../../domain/types.ts'
import { findTags, lockTags, type Tagged, type TaggedKey, writeTags } from '../../store/configuration/tags.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { writing } from '../write/writing.ts'

/** Tags as one dialect speaks of them. */
export interface TagsDialect {
  /** Paths of the tags of one kind of object; the object is `:id`. */
  readonly paths: (collection: string) => readonly string[]
  /** Reads the body of an action; returns the tags after it. Throws DomainErrors. */
  readonly parseAction: (body: unknown) => (stored: readonly Tag[]) => readonly Tag[]
  readonly render: (tags: readonly Tag[]) => Record<string, unknown>
}

export function tagRoutes(deps: ApiDependencies, dialect: TagsDialect): Route[] {
  const kinds: readonly Tagged[] = ['loadbalancer', 'listener']
  return kinds.flatMap((resource): Route[] => {
    const paths = dialect.paths(`${resource}s`)
    return [
      { method: 'get', paths, handler: (ctx) => show(ctx, deps, { resource, dialect }) },
      {
        method: 'post',
        paths: paths.map((path) => `${path}/action`),
        handler: (ctx) => act(ctx, deps, { resource, dialect }),
      },
    ]
  })
}

interface Subject {
  readonly resource: Tagged
  readonly dialect: TagsDialect
}

function keyOf(ctx: ApiContext, resource: Tagged): TaggedKey {
  return { resource, id: pathId(ctx, 'id', resource), projectId: ctx.state.identity.projectId }
}

async function show(ctx: ApiContext, deps: ApiDependencies, { resource, dialect }: Subject): Promise<void> {
  const key = keyOf(ctx, resource)
  const tags = await findTags(deps.db, key)
  if (tags === undefined) throw notFound(resource, key.id)
  ctx.body = dialect.render(tags)
}

async function act(ctx: ApiContext, deps: ApiDependencies, { resource, dialect }: Subject): Promise<void> {
  const key = keyOf(ctx, resource)
  const tagsAfter = dialect.parseAction(await readJson(ctx))
  await writing(ctx, deps, async (tx) => {
    const stored = await lockTags(tx, key)
    if (stored === undefined) throw notFound(resource, key.id)
    const tags = tagsAfter(stored)
    // Tags from before the limit, or from another dialect, may always be removed.
    if (tags.length > TAGS_MAX && tags.length > stored.length) {
      throw new DomainError('TOO_MANY_ITEMS', `A ${resource} has at most ${TAGS_MAX} tags.`, {
        max: TAGS_MAX,
      })
    }
    await writeTags(tx, key, tags)
  })
  ctx.status = 204
}
