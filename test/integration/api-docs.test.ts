import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { startApi } from '../support/api.ts'

test('/docs is a page whose parts all come from this service', async (t) => {
  const api = await startApi(t)
  const page = await api.request('GET', '/docs')
  assert.equal(page.status, 200)
  const parts = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
  assert.ok(parts.length >= 4)
  for (const part of parts) {
    assert.match(part, /^\/docs\//)
    const answer = await api.request('GET', part)
    assert.equal(answer.status, 200, part)
  }
})

test('a browser may load nothing from elsewhere, run no inline script and frame nothing', async (t) => {
  const api = await startApi(t)
  for (const path of ['/docs', '/docs/start.js', '/docs/openapi.json', '/docs/swagger-ui-bundle.js']) {
    const { headers } = await api.request('GET', path)
    const policy = String(headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /script-src 'self';/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /https?:|\*|unsafe-eval/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
  }
})

test('the page has no inline script', async (t) => {
  const api = await startApi(t)
  const page = String((await api.request('GET', '/docs')).body)
  assert.doesNotMatch(page, /<script(?![^>]*\ssrc=)/)
  assert.doesNotMatch(page, /\son\w+=/)
})

test('openapi.yaml and openapi.json are one document, the one of this version', async (t) => {
  const api = await startApi(t)
  const yaml = await api.request('GET', '/docs/openapi.yaml')
  const json = await api.request('GET', '/docs/openapi.json')
  assert.equal(yaml.body, readFileSync('openapi.yaml', 'utf8'))
  assert.deepEqual(json.body, parse(yaml.body))
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  assert.equal(json.body.info.version, version)
})

test('what is not below /docs is not served from there', async (t) => {
  const api = await startApi(t)
  for (const path of [
    '/docs/package.json',
    '/docs/../package.json',
    '/docs/%2e%2e/package.json',
    '/docs/swagger-ui.js',
  ]) {
    assert.equal((await api.request('GET', path)).status, 404, path)
  }
})

test('the service answers other methods on its own paths with 405', async (t) => {
  const api = await startApi(t)
  for (const path of ['/docs', '/docs/openapi.json', '/livez', '/healthcheck']) {
    const answer = await api.request('POST', path)
    assert.equal(answer.status, 405, path)
    assert.equal(answer.headers['allow'], 'GET, HEAD')
    assert.equal(answer.body.error_code, 'APIGW.0101')
  }
})
