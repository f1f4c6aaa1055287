/** `/v1/public-pages`: the pages of a project that everybody with their link may see. A link is shown only once. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { DomainError, notFound } from '../../domain/errors.ts'
import { PUBLIC_PAGES_LISTED, PUBLIC_PAGES_PER_PROJECT, PUBLIC_TOKEN_BYTES } from '../../domain/limits.ts'
import {
  countPublicPagesLocked,
  deletePublicPage,
  findPublicPage,
  insertPublicPage,
  listPublicPages,
  lockPoolsOf,
  lockPublicPage,
  type PublicPage,
  rotatePublicPage,
  updatePublicPage,
} from '../../store/configuration/public-pages.ts'
import type { Db, Tx } from '../../store/connection/database.ts'
import { baseUrl } from '../http/base-url.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { invalidField, parseBody } from '../schema/attributes.ts'
import { writing } from '../write/writing.ts'
import { assertReadable } from './overview.ts'
import { idOf, knownParameters, markerIsGone, projectOf } from './parameters.ts'
import { publicPageCreate, publicPageUpdate } from './public-page-body.ts'

const ALL = '/v1/public-pages'
const ONE = '/v1/public-pages/:id'

export function publicPageRoutes(deps: ApiDependencies): Route[] {
  const to = (handler: (ctx: ApiContext, deps: ApiDependencies) => Promise<void>) => (ctx: ApiContext) =>
    handler(ctx, deps)
  return [
    { method: 'get', paths: [ALL], handler: to(list) },
    { method: 'post', paths: [ALL], handler: to(create) },
    { method: 'get', paths: [ONE], handler: to(show) },
    { method: 'put', paths: [ONE], handler: to(update) },
    { method: 'delete', paths: [ONE], handler: to(remove) },
    { method: 'post', paths: [`${ONE}/rotate`], handler: to(rotate) },
  ]
}

/** What is stored of the token of a link. */
export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

const newToken = (): string => randomBytes(PUBLIC_TOKEN_BYTES).toString('base64url')

async function list(ctx: ApiContext, { db }: ApiDependencies): Promise<void> {
  const parameters = knownParameters(ctx, ['project_id', 'marker'])
  const pages = await listPublicPages(db, projectOf(ctx, parameters), idOf(parameters, 'marker'))
  if (pages === undefined) throw markerIsGone()
  ctx.body = {
    public_pages: pages.map((page) => render(page)),
    ...(pages.length < PUBLIC_PAGES_LISTED ? {} : { marker: pages.at(-1)?.id }),
  }
}

async function create(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const body = parseBody(await readJson(ctx), publicPageCreate)
  const projectId = body.project_id ?? ctx.state.identity.projectId
  ctx.state.access.authorise(projectId)
  const token = newToken()
  const page = {
    id: randomUUID(),
    projectId,
    title: titleOf(body.title),
    showMembers: body.show_members ?? false,
    pools: body.pools,
  }
  const created = await writing(ctx, deps, async (tx) => {
    await assertPools(tx, projectId, page.pools)
    if ((await countPublicPagesLocked(tx, projectId)) >= PUBLIC_PAGES_PER_PROJECT) {
      const message = `A project has at most ${PUBLIC_PAGES_PER_PROJECT} public pages.`
      throw new DomainError('QUOTA_EXCEEDED', message)
    }
    await insertPublicPage(tx, page, hashOf(token))
    return await found(tx, page.id)
  })
  ctx.status = 201
  ctx.body = { public_page: render(created, linkOf(ctx, deps, token)) }
}

async function show(ctx: ApiContext, { db }: ApiDependencies): Promise<void> {
  const id = pathId(ctx, 'id', 'public page')
  ctx.body = { public_page: render(owned(ctx, id, await findPublicPage(db, id, ctx.state.access.byId))) }
}

async function update(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const body = parseBody(await readJson(ctx), publicPageUpdate)
  const updated = await writing(ctx, deps, async (tx) => {
    const stored = await lockedOfPath(ctx, tx)
    const pools = body.pools ?? stored.pools
    await assertPools(tx, stored.projectId, pools)
    await updatePublicPage(tx, {
      ...stored,
      pools,
      title: body.title === undefined ? stored.title : titleOf(body.title),
      showMembers: body.show_members ?? stored.showMembers,
    })
    return await found(tx, stored.id)
  })
  deps.publicAnswers?.forget(updated.id)
  ctx.body = { public_page: render(updated) }
}

/** Makes a new link; the old one does not work any more. */
async function rotate(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const token = newToken()
  const page = await writing(ctx, deps, async (tx) => {
    const { id } = await lockedOfPath(ctx, tx)
    await rotatePublicPage(tx, id, hashOf(token))
    return await found(tx, id)
  })
  deps.publicAnswers?.forget(page.id)
  ctx.body = { public_page: render(page, linkOf(ctx, deps, token)) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const id = await writing(ctx, deps, async (tx) => {
    const page = await lockedOfPath(ctx, tx)
    await deletePublicPage(tx, page.id)
    return page.id
  })
  deps.publicAnswers?.forget(id)
  ctx.status = 204
}

async function lockedOfPath(ctx: ApiContext, tx: Tx): Promise<PublicPage> {
  const id = pathId(ctx, 'id', 'public page')
  return owned(ctx, id, await lockPublicPage(tx, id, ctx.state.access.byId))
}

/** Throws NOT_FOUND, FORBIDDEN. */
function owned(ctx: ApiContext, id: string, page: PublicPage | undefined): PublicPage {
  if (page === undefined) throw notFound('public page', id)
  assertReadable(ctx, page.projectId, notFound('public page', id))
  return page
}

/** Throws NOT_FOUND for a pool that is not in the project, INVALID_FIELD for one that is chosen twice. */
async function assertPools(tx: Tx, projectId: string, pools: readonly string[]): Promise<void> {
  if (new Set(pools).size < pools.length) throw invalidField('pools', 'it contains a pool more than once')
  const there = await lockPoolsOf(tx, projectId, pools)
  const missing = pools.find((pool) => !there.has(pool))
  if (missing !== undefined) throw notFound('pool', missing)
}

/** The title without outer spaces. Throws INVALID_FIELD when nothing is left that one can see. */
function titleOf(title: string): string {
  const trimmed = title.trim()
  if (/^[\p{Z}\p{C}]*$/u.test(trimmed)) throw invalidField('title', 'it is empty')
  return trimmed
}

async function found(db: Db, id: string): Promise<PublicPage> {
  const page = await findPublicPage(db, id, undefined)
  if (page === undefined) throw new Error(`public page ${id} is not there after it was written`)
  return page
}

interface Link {
  readonly token: string
  readonly url: string
}

function linkOf(ctx: ApiContext, deps: ApiDependencies, token: string): Link {
  return { token, url: `${baseUrl(ctx, deps)}/public/${token}` }
}

function render(page: PublicPage, link?: Link): Record<string, unknown> {
  return {
    id: page.id,
    project_id: page.projectId,
    title: page.title,
    pools: page.pools,
    pool_names: page.poolNames,
    show_members: page.showMembers,
    created_at: page.createdAt.toISOString(),
    updated_at: page.updatedAt.toISOString(),
    ...link,
  }
}
