/** `/metrics/pools` and `/metrics/members` over HTTP: as fast as the reader takes it, from what is kept. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Registry } from 'prom-client'
import { FIGURES_READERS, FIGURES_SEND_MS, RETRY_AFTER_SECONDS } from '../../domain/limits.ts'

const decompressed = promisify(gunzip)

/** Answers a request whose method and path are right. Never rejects. */
export type MetricsPage = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** A page of a reading; `pieces` are compressed by gzip each. */
export function figurePage(reading: { pieces(): Promise<readonly Buffer[]> }): MetricsPage {
  let readers = 0
  return async (request, response) => {
    if (readers >= FIGURES_READERS) return refuse(response, 'too many readers at one time')
    readers += 1
    const late = setTimeout(() => response.destroy(), FIGURES_SEND_MS)
    try {
      await send(request, response, await reading.pieces())
    } catch (error) {
      if (response.headersSent) response.destroy()
      else refuse(response, error instanceof Error ? error.message : 'unknown error')
    } finally {
      clearTimeout(late)
      readers -= 1
    }
  }
}

function refuse(response: ServerResponse, why: string): void {
  response.writeHead(503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Retry-After': String(RETRY_AFTER_SECONDS),
  })
  response.end(`${why}\n`)
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  pieces: readonly Buffer[],
): Promise<void> {
  const isCompressed = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(
    String(request.headers['accept-encoding'] ?? ''),
  )
  response.writeHead(200, {
    'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE,
    Vary: 'Accept-Encoding',
    ...(isCompressed ? { 'Content-Encoding': 'gzip' } : {}),
  })
  if (request.method === 'HEAD') return void response.end()
  for (const piece of pieces) {
    if (response.destroyed) return
    const isTaken = response.write(isCompressed ? piece : await decompressed(piece))
    if (!isTaken) await drained(response)
  }
  response.end()
}

async function drained(response: ServerResponse): Promise<void> {
  const ended = new AbortController()
  const gone = once(response, 'close', { signal: ended.signal })
  try {
    await Promise.race([once(response, 'drain', { signal: ended.signal }), gone])
  } finally {
    gone.catch(() => undefined)
    ended.abort()
  }
}
