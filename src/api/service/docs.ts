/**
 * `/docs`: openapi.yaml as a page for people (Swagger UI, docs/adr/0006-docs-page.md) and as a document for programs
 * (`/docs/openapi.yaml`, `/docs/openapi.json`); and the documents of doors in the same way (`/docs/<door>`). Everything comes from this process: the policy of the page lets a
 * browser load nothing from anywhere else, so that it works without the internet, and no other server learns who reads
 * it.
 */
import { DOCS_ASSET_MAX_AGE_SECONDS } from '../../domain/limits.ts'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Context } from 'koa'
import { parse } from 'yaml'
import { DOORS } from '../dialects.ts'
import type { ServiceRoute } from '../http/context.ts'

/** Inline styles are Swagger UI's; its icons are data URLs. Scripts, requests and everything else: this origin or none. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The other documents are a word away. `document`: of this page, below `/docs`. */
const pageOf = (document: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>healthmonitor API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<noscript>The API as a document: <a href="/docs/${document}.yaml">${document}.yaml</a>.</noscript>
<nav>${NAMES.map((name) => `<a href="/docs${name === MAIN ? '' : `/${name}`}">${name}</a>`).join(' · ')}</nav>
<div id="docs" data-document="/docs/${document}.json"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

// No validator: Swagger UI would otherwise show a badge that sends the document's address to a public service.
const START = `SwaggerUIBundle({
  url: document.getElementById('docs').dataset.document,
  dom_id: '#docs',
  deepLinking: true,
  validatorUrl: null,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
})
`

/** Files of the package that the page needs, and their types. */
const ASSETS = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const

/** The document of the whole API, and one for each door: its own API is described apart. */
const MAIN = 'openapi'
const NAMES: readonly string[] = [MAIN, ...DOORS.map(({ name }) => name)]

/** Above `dist/src/api/service`. */
const fileOf = (name: string): URL =>
  new URL(`../../../../${name === MAIN ? '' : 'openapi/'}${name}.yaml`, import.meta.url)
const require = createRequire(import.meta.url)

/** Answers `/docs` and its files, which are read at the first request. */
export function docsRoutes(): readonly ServiceRoute[] {
  const documents = NAMES.flatMap(documentRoutes)
  const assets = Object.entries(ASSETS).map(([name, type]): ServiceRoute => {
    const content = once(() => readFile(require.resolve(`swagger-ui-dist/${name}`)))
    const maxAge = `public, max-age=${DOCS_ASSET_MAX_AGE_SECONDS}`
    return { path: `/docs/${name}`, answer: async (ctx) => give(ctx, type, await content(), maxAge) }
  })
  const icon = assets.find(({ path }) => path.endsWith('.png'))
  return [
    // Browsers ask for it beside every page and every JSON document.
    ...(icon === undefined ? [] : [{ ...icon, path: '/favicon.ico' }]),
    ...documents,
    { path: '/docs/start.js', answer: (ctx) => give(ctx, 'text/javascript; charset=utf-8', START) },
    ...assets,
  ]
}

/** A document as a page, as YAML and as JSON. */
function documentRoutes(name: string): readonly ServiceRoute[] {
  const yaml = once(() => readFile(fileOf(name), 'utf8'))
  const json = once(async () => JSON.stringify(parse(await yaml())))
  return [
    {
      path: name === MAIN ? '/docs' : `/docs/${name}`,
      answer: (ctx) => give(ctx, 'text/html; charset=utf-8', pageOf(name)),
    },
    { path: `/docs/${name}.yaml`, answer: async (ctx) => give(ctx, 'application/yaml', await yaml()) },
    { path: `/docs/${name}.json`, answer: async (ctx) => give(ctx, 'application/json', await json()) },
  ]
}

/** Whether a person with a browser opens the root of the service: programs take JSON as well, and get the versions. */
export function isForPeople(ctx: Context): boolean {
  return ctx.path === '/' && ctx.method === 'GET' && ctx.accepts('json', 'html') === 'html'
}

function give(ctx: Context, type: string, body: string | Buffer, cacheControl = 'no-cache'): void {
  ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Referrer-Policy', 'no-referrer')
  ctx.set('Cache-Control', cacheControl)
  ctx.type = type
  ctx.body = body
}

/** Runs `read` when it is first needed, and again only after a failure. */
function once<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let known: Promise<Value> | undefined
  return () => {
    known ??= read().catch((error: unknown) => {
      known = undefined
      throw error
    })
    return known
  }
}
