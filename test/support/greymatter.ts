/** Requests of Grey Matter's control API in tests: as its clients send them, without a content type. */
import assert from 'node:assert/strict'
import type { Answer, Api, Json } from './api.ts'

export const GREYMATTER = '/greymatter/v1.0'

/** The health check of the documentation. */
export const DOCUMENTED_CHECK = {
  timeout_msec: 1000,
  interval_msec: 60_000,
  interval_jitter_msec: 1000,
  unhealthy_threshold: 3,
  healthy_threshold: 3,
  health_checker: { http_health_check: { path: '/health' } },
}

export function clusterBody(given: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    cluster_key: 'catalog-service',
    zone_key: 'default-zone',
    name: 'catalog',
    instances: [{ host: '127.0.0.1', port: 8080, metadata: [{ key: 'version', value: '1' }] }],
    health_checks: [DOCUMENTED_CHECK],
    ...given,
  }
}

export async function ask(
  api: Api,
  method: string,
  path: string,
  { body, project }: { readonly body?: unknown; readonly project?: string } = {},
): Promise<Answer> {
  return await api.request(method, `${GREYMATTER}${path}`, body, {
    'content-type': '',
    ...(project === undefined ? {} : { 'x-project-id': project }),
  })
}

/** The result of a request that must succeed. */
export async function result(...request: Parameters<typeof ask>): Promise<Json> {
  const answer = await ask(...request)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body.result
}

/** Code and problems of a request that must be refused. */
export async function refused(
  status: number,
  ...request: Parameters<typeof ask>
): Promise<{ readonly code: string; readonly message: string; readonly problems: readonly string[] }> {
  const { status: got, body } = await ask(...request)
  assert.equal(got, status, JSON.stringify(body))
  const { code, message, details } = body.error
  const errors = (details?.errors ?? []) as { attribute: string; msg: string }[]
  return { code, message, problems: errors.map(({ attribute, msg }) => `${attribute}: ${msg}`) }
}
