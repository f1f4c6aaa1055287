/**
 * `/public/…`: pages for strangers. They have no identity and get no cookie. A link that was never made, and one that was
 * revoked, are answered alike.
 */
import type Koa from 'koa'
import { DomainError, notFound } from '../../domain/errors.ts'
import { PUBLIC_BADGE_MAX_AGE_SECONDS, PUBLIC_MAX_AGE_SECONDS } from '../../domain/limits.ts'
import { clientKey } from '../../identity/client-key.ts'
import { clientAddress } from '../http/client-address.ts'
import type { ApiDependencies, Route, ServiceRoute } from '../http/context.ts'
import { errorBoundary } from '../http/errors.ts'
import { noIdentityGuard } from '../http/guards.ts'
import { queryOf } from '../http/query.ts'
import type { UiFiles } from '../service/ui.ts'
import { answerFile } from '../service/ui.ts'
import { nextSlice } from '../http/slices.ts'
import { type PublicAnswers, STRANGERS } from './answers.ts'
import { v1Errors } from '../v1/errors.ts'
import { badgeOf } from './badge.ts'

const PAGE = '/public/:token'
const BADGE = '/public/:token/badge.svg'
const ASSETS = '/public/assets/:file'

/** The pattern of a path below `/public/`; undefined = it is none of ours. */
export function publicPattern(path: string): string | undefined {
  if (/^\/public\/assets\/[^/]+$/.test(path)) return ASSETS
  if (/^\/public\/[^/]+\/badge\.svg$/.test(path)) return BADGE
  return /^\/public\/[^/]+$/.test(path) ? PAGE : undefined
}

export function publicServiceRoutes(deps: ApiDependencies, files: UiFiles): readonly ServiceRoute[] {
  const boundary = errorBoundary(v1Errors, deps)
  const guard = noIdentityGuard(deps.settings)
  const guarded = (answer: (ctx: Koa.Context) => Promise<void>) => async (ctx: Koa.Context) => {
    await boundary(ctx as Parameters<typeof boundary>[0], async () => {
      guard(ctx)
      forStrangers(ctx)
      // One of them in each round of the event loop, however many there are: requests of projects come in between.
      await nextSlice(STRANGERS)
      await answer(ctx)
    })
  }
  return [
    { path: PAGE, answer: guarded((ctx) => showPage(ctx, deps, files)) },
    { path: BADGE, answer: guarded((ctx) => showBadge(ctx, deps)) },
    { path: ASSETS, answer: (ctx) => answerFile(ctx, files, ctx.path.slice('/public/'.length)) },
  ]
}

/** `GET /v1/public/{token}`: what the page shows, as JSON. */
export function publicRoutes(deps: ApiDependencies): Route[] {
  return [{ method: 'get', paths: ['/v1/public/:token'], open: true, handler: (ctx) => showJson(ctx, deps) }]
}

/** Links are secrets: no other site is sent one, and no search engine lists what is behind it. */
function forStrangers(ctx: Koa.Context): void {
  ctx.set('Referrer-Policy', 'no-referrer')
  ctx.set('X-Robots-Tag', 'noindex')
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Cache-Control', 'no-store')
}

/** For a link that leads nowhere the page says so itself. */
async function showPage(ctx: Koa.Context, deps: ApiDependencies, files: UiFiles): Promise<void> {
  const elsewhere = plainPageOf(ctx.originalUrl.split('?', 1)[0] ?? '')
  if (elsewhere !== undefined) {
    ctx.redirect(elsewhere)
    ctx.body = ''
    return
  }
  const isKnown = await answersOf(deps).isKnown(tokenOf(ctx), clientOf(ctx, deps))
  await answerFile(ctx, files, 'public.html')
  if (!isKnown) ctx.status = 404
}

/**
 * Where the page is of a path that has a slash at its end, or two where one belongs: what it loads is named from its own address.
 * Relative, as a reverse proxy may have removed a prefix. Undefined = this is the path.
 */
function plainPageOf(path: string): string | undefined {
  const [, before = '', token = '', behind = ''] = /\/public(\/+)([^/]+)(\/*)$/.exec(path) ?? []
  const up = before.length - 1 + behind.length
  return up <= 0 ? undefined : `${'../'.repeat(up)}${token}`
}

async function showJson(ctx: Koa.Context, deps: ApiDependencies): Promise<void> {
  forStrangers(ctx)
  await nextSlice(STRANGERS)
  const answer = await answersOf(deps).answerOf(tokenOf(ctx), clientOf(ctx, deps))
  if (answer === undefined) throw unknownLink()
  ctx.status = 200
  ctx.set('Cache-Control', `public, max-age=${PUBLIC_MAX_AGE_SECONDS}`)
  ctx.etag = answer.etag
  ctx.type = 'application/json'
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  ctx.body = answer.json
}

async function showBadge(ctx: Koa.Context, deps: ApiDependencies): Promise<void> {
  const parameters = queryOf(ctx)
  for (const name of parameters.keys()) {
    if (name !== 'pool' && name !== 'show')
      throw new DomainError('INVALID_QUERY', `There is no parameter ${name.slice(0, 64)} here.`)
  }
  const answer = await answersOf(deps).answerOf(tokenOf(ctx), clientOf(ctx, deps))
  if (answer === undefined) throw unknownLink()
  ctx.body = badgeOf(answer.body, parameters)
  ctx.type = 'image/svg+xml'
  ctx.set('Cache-Control', `public, max-age=${PUBLIC_BADGE_MAX_AGE_SECONDS}`)
  ctx.set('Content-Security-Policy', "default-src 'none'")
  // Pages of other sites show it.
  ctx.set('Cross-Origin-Resource-Policy', 'cross-origin')
}

/** The token is not repeated. */
const unknownLink = (): DomainError => notFound('public page', 'of this link')

function answersOf({ publicAnswers }: ApiDependencies): PublicAnswers {
  if (publicAnswers === undefined) throw new Error('the application has no answers for public pages')
  return publicAnswers
}

/** Behind `/public/`, also of a path that is in a version of the API. */
const tokenOf = (ctx: Koa.Context): string => /\/public\/([^/]+)/.exec(ctx.path)?.[1] ?? ''

const clientOf = (ctx: Koa.Context, { settings }: ApiDependencies): string =>
  clientKey(clientAddress(ctx, settings.trustedProxies))
