/**
 * `/ui/`: the page for people, as the build has left it in dist/web (src/web is its source). Its names have a hash, so
 * browsers keep them for good; only index.html is asked for again. The policy of the page lets a browser load nothing
 * from anywhere else, and run nothing that stands in the document itself.
 */
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'
import type { Context } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import { UI_ASSET_MAX_AGE_SECONDS } from '../../domain/limits.ts'
import type { ServiceRoute } from '../http/context.ts'

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Where the page is, from dist/src/api/service. */
const BUILT = new URL('../../../web/', import.meta.url)
const INDEX = 'index.html'
/** The pattern of all that index.html names: the names are the build's. */
export const UI_ASSETS = '/ui/assets/:file'

interface File {
  readonly type: string
  readonly plain: Buffer
  readonly gzip: Buffer
  readonly br: Buffer
}

/** The files of the page by their paths below it; each is read and compressed once, when it is first asked for. */
export class UiFiles {
  readonly #folder: URL
  readonly #known = new Map<string, Promise<File | undefined>>()
  #names: Promise<ReadonlySet<string>> | undefined

  constructor(folder: URL = BUILT) {
    this.#folder = folder
  }

  /** Undefined for what the build has not made: no path leads out of its folder. */
  async find(path: string): Promise<File | undefined> {
    this.#names ??= namesIn(this.#folder)
    if (!(await this.#names).has(path)) return undefined
    const known = this.#known.get(path)
    if (known !== undefined) return await known
    const file = read(new URL(path, this.#folder), TYPES[extname(path)] ?? 'application/octet-stream')
    this.#known.set(path, file)
    return await file
  }
}

async function namesIn(folder: URL): Promise<ReadonlySet<string>> {
  // A path: with a URL, Node 20 looks into no folder below.
  const names = await readdir(fileURLToPath(folder), { recursive: true }).catch(() => [])
  return new Set(names)
}

const inGzip = promisify(gzip)
const inBrotli = promisify(brotliCompress)

async function read(file: URL, type: string): Promise<File> {
  const plain = await readFile(file)
  const [gzipped, br] = await Promise.all([inGzip(plain, { level: 9 }), inBrotli(plain)])
  return { type, plain, gzip: gzipped, br }
}

/** `/ui` and `/ui/`, which are one path to routes. */
export function uiRoutes(files: UiFiles): readonly ServiceRoute[] {
  return [
    {
      path: '/ui',
      answer: async (ctx) => {
        if (new URL(ctx.originalUrl, 'http://any').pathname.endsWith('/'))
          return await answerFile(ctx, files, INDEX)
        // Relative, as a reverse proxy may have removed a prefix.
        ctx.redirect('ui/')
        ctx.body = ''
      },
    },
    { path: UI_ASSETS, answer: (ctx) => answerFile(ctx, files, ctx.path.slice('/ui/'.length)) },
  ]
}

/** Answers with a file of the build; documents are asked for again, as their files change. Throws ROUTE_NOT_FOUND. */
export async function answerFile(ctx: Context, files: UiFiles, path: string): Promise<void> {
  const file = await files.find(path)
  if (file === undefined) {
    throw new DomainError('ROUTE_NOT_FOUND', 'The build of the page has no such file.')
  }
  const isDocument = path.endsWith('.html')
  ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
  ctx.set('X-Content-Type-Options', 'nosniff')
  ctx.set('Referrer-Policy', 'no-referrer')
  ctx.set('Cross-Origin-Opener-Policy', 'same-origin')
  ctx.set('Cache-Control', isDocument ? 'no-cache' : `public, max-age=${UI_ASSET_MAX_AGE_SECONDS}, immutable`)
  ctx.vary('Accept-Encoding')
  const encoding = ctx.acceptsEncodings('br', 'gzip', 'identity')
  if (encoding === 'br' || encoding === 'gzip') ctx.set('Content-Encoding', encoding)
  ctx.type = file.type
  ctx.body = encoding === 'br' ? file.br : encoding === 'gzip' ? file.gzip : file.plain
}
