import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpHost } from '../../../../src/domain/target/http-host.ts'
import { USER_AGENT } from '../../../../src/domain/limits.ts'
import type { HttpRequest } from '../../../../src/domain/target/probe-target.ts'
import { renderHttpRequest as renderBytes } from '../../../../src/probe/http/http-request.ts'

const request: HttpRequest = {
  method: 'GET',
  path: '/health?x=1',
  version: '1.1',
  host: '[::1]:8080',
  expectedCodes: [],
}

const renderHttpRequest = (asked: HttpRequest, connection?: 'close' | 'keep'): string | undefined =>
  renderBytes(asked, connection)?.toString('latin1')

test('a request names the service, asks to close, and carries the Host as given', () => {
  assert.equal(
    renderHttpRequest(request),
    `GET /health?x=1 HTTP/1.1\r\nHost: [::1]:8080\r\nUser-Agent: ${USER_AGENT}\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
  )
})

test('HTTP/1.0 goes out without a Host when there is none', () => {
  const { host: _, ...withoutHost } = request
  assert.match(
    renderHttpRequest({ ...withoutHost, version: '1.0' }) ?? '',
    /^GET \/health\?x=1 HTTP\/1\.0\r\nUser-Agent/,
  )
})

test('a method that usually has content says that there is none', () => {
  for (const method of ['POST', 'PUT', 'PATCH']) {
    assert.match(renderHttpRequest({ ...request, method }) ?? '', /\r\nContent-Length: 0\r\n\r\n$/)
  }
})

test('a request with characters that could end a line is not rendered', () => {
  for (const bad of ['/a b', '/a\r\nX: y', '/\0', '/\x7f', '/\u2028', '']) {
    assert.equal(renderHttpRequest({ ...request, path: bad }), undefined)
    assert.equal(renderHttpRequest({ ...request, host: bad }), undefined)
    assert.equal(renderHttpRequest({ ...request, method: bad }), undefined)
  }
})

const headerLines = (headers: HttpRequest['headers'] & object, more: Partial<HttpRequest> = {}): string[] =>
  (renderHttpRequest({ ...request, headers, ...more }) ?? '').split('\r\n').slice(2, -3)

test('the own User-Agent and Accept yield to the monitor’s, whether it appends or overwrites', () => {
  for (const action of ['append', 'overwrite'] as const) {
    assert.deepEqual(
      headerLines([
        { name: 'user-agent', value: 'Mozilla/5.0', action },
        { name: 'ACCEPT', value: 'text/html', action },
      ]),
      ['user-agent: Mozilla/5.0', 'ACCEPT: text/html'],
    )
  }
})

test('a request has one User-Agent, and overwrite replaces earlier headers of that name', () => {
  const append = 'append'
  assert.deepEqual(
    headerLines([
      { name: 'User-Agent', value: 'first', action: append },
      { name: 'X', value: '1', action: append },
      { name: 'x', value: '2', action: append },
      { name: 'Y', value: '1', action: append },
      { name: 'y', value: '2', action: 'overwrite' },
      { name: 'y', value: '3', action: append },
      { name: 'USER-AGENT', value: 'last', action: append },
    ]),
    ['Accept: */*', 'X: 1', 'x: 2', 'y: 2', 'y: 3', 'USER-AGENT: last'],
  )
})

test('a header without a value goes out empty', () => {
  const lines = headerLines([{ name: 'X', value: '', action: 'append' }])
  assert.deepEqual(lines, [`User-Agent: ${USER_AGENT}`, 'Accept: */*', 'X: '])
})

test('the Host is the domain name, else the address with the port that is not the default', () => {
  const target = { domainName: null, address: '10.0.0.1', port: 80, defaultPort: 80 } as const
  assert.equal(httpHost(target), '10.0.0.1')
  assert.equal(httpHost({ ...target, port: 8080 }), '10.0.0.1:8080')
  assert.equal(httpHost({ ...target, address: '2001:db8::1' }), '[2001:db8::1]')
  assert.equal(httpHost({ ...target, address: '2001:db8::1', port: 443 }), '[2001:db8::1]:443')
  assert.equal(httpHost({ ...target, domainName: 'www.example.org', port: 8080 }), 'www.example.org')
})
