import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { baseUrl } from '../../../../src/api/http/base-url.ts'
import type { ApiContext, ApiDependencies } from '../../../../src/api/http/context.ts'
import { throughDoor } from '../../../../src/api/http/door-request.ts'

const PUBLIC = 'https://lb.example.org'

function urlOf(req: IncomingMessage, publicUrl?: string): string {
  const ctx = { req, host: 'mesh.example.org:5681', protocol: 'http', get: () => '' }
  const settings = { trustedProxies: [], ...(publicUrl === undefined ? {} : { publicUrl }) }
  return baseUrl(ctx as unknown as ApiContext, { settings } as unknown as ApiDependencies)
}

/** A request that came in by the listener of a door, or by that of the API. */
function request(door?: string): IncomingMessage {
  const req = Object.assign(new EventEmitter(), { socket: {} }) as unknown as IncomingMessage
  if (door !== undefined) throughDoor(door, () => undefined)(req, {} as ServerResponse)
  return req
}

test('links lead to HM_PUBLIC_URL, else to the host that the client named', () => {
  assert.equal(urlOf(request(), PUBLIC), PUBLIC)
  assert.equal(urlOf(request()), 'http://mesh.example.org:5681')
})

test('links at the listener of a door lead to that listener: HM_PUBLIC_URL is the address of another one', () => {
  assert.equal(urlOf(request('kuma'), PUBLIC), 'http://mesh.example.org:5681')
})
