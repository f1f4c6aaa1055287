import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { DOORS } from '../../src/api/dialects.ts'
import { startApi } from '../support/api.ts'

test('/docs is a page whose parts all come from this service', async (t) => {
  const api = await startApi(t)
  const page = await api.request('GET', '/docs')
  assert.equal(page.status, 200)
  const parts = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
  assert.ok(parts.length >= 4)
  for (const part of parts) {
    assert.match(part, /^\/docs(\/|$)/)
    const answer = await api.request('GET', part)
    assert.equal(answer.status, 200, part)
  }
})

test('each door has its own document, as a page and for programs, and the pages lead to each other', async (t) => {
  const api = await startApi(t)
  for (const { name } of DOORS) {
    assert.match(String((await api.request('GET', '/docs')).body), new RegExp(`href="/docs/${name}"`))
    const page = String((await api.request('GET', `/docs/${name}`)).body)
    assert.match(page, new RegExp(`data-document="/docs/${name}.json"`))
    assert.match(page, /href="\/docs"/)
    const yaml = await api.request('GET', `/docs/${name}.yaml`)
    assert.equal(yaml.body, readFileSync(`openapi/${name}.yaml`, 'utf8'))
    assert.deepEqual((await api.request('GET', `/docs/${name}.json`)).body, parse(yaml.body))
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

test('a browser that opens the root comes to the page, a program to the versions; both find an icon', async (t) => {
  const api = await startApi(t)
  const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
  const page = await api.request('GET', '/', undefined, browser)
  assert.equal(page.status, 302)
  assert.equal(page.headers['location'], 'ui/')
  assert.match(String(page.headers['vary']), /Accept/)
  for (const accept of ['*/*', 'application/json', 'application/json, text/html;q=0.5']) {
    const versions = await api.request('GET', '/', undefined, { accept })
    assert.equal(versions.status, 200, accept)
    assert.ok(Array.isArray(versions.body.versions))
  }
  const icon = await api.request('GET', '/favicon.ico')
  assert.equal(icon.status, 200)
  assert.equal(icon.headers['content-type'], 'image/png')
})

test('no optional parameter of a query has an example, which the page would send', async (t) => {
  const api = await startApi(t)
  const document = (await api.request('GET', '/docs/openapi.json')).body
  const resolved = (value: { $ref?: string }): Record<string, unknown> =>
    value.$ref === undefined
      ? (value as Record<string, unknown>)
      : value.$ref
          .slice(2)
          .split('/')
          .reduce((within, name) => within[name], document)
  const filled: string[] = []
  for (const [path, item] of Object.entries(
    document.paths as Record<string, { get?: { parameters?: object[] } }>,
  ))
    for (const given of item.get?.parameters ?? []) {
      const parameter = resolved(given)
      if (parameter['in'] !== 'query' || parameter['required'] === true) continue
      const schema = resolved(parameter['schema'] as object)
      const examples = [parameter['example'], parameter['examples'], schema['example'], schema['examples']]
      if (examples.some((example) => example !== undefined))
        filled.push(`${path} ${String(parameter['name'])}`)
    }
  assert.deepEqual(filled, [])
})
