/** A Keystone of recordings: real answers, on a port of its own, with the troubles that a test asks for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Ending } from './database.ts'
import { type KeystoneGolden, keystoneGolden } from './goldens.ts'

export interface FakeKeystone {
  readonly url: string
  /** Valid tokens, each with the recorded body of its look-up. */
  readonly tokens: Map<string, unknown>
  /** Every request so far: `POST login`, or `GET <subject token>`. */
  readonly asked: string[]
  /** Passwords with which the service account has logged in, or tried to. */
  readonly loginPasswords: string[]
  /** Seconds from now to the end of tokens that it gives to the service account. */
  lifeSeconds: number
  /** Answers to everything instead of the recordings: a status, or silence. */
  trouble: number | 'silence' | undefined
  /** Status of logins of the service account, when they are refused. */
  loginRefused: boolean
  /** People by name: their password, and the token of `tokens` that a sign-in gives them. */
  readonly people: Map<string, { readonly password: string; readonly token: string }>
  /** Forgets the tokens of the service account: as after a rotation of keys. */
  forgetLogins(): void
  /** While set, validations wait for it. */
  gate: Promise<void> | undefined
  close(): Promise<void>
}

/** A recorded token document with another end. */
export function tokenEnding(name: string, expiresAt: Date): { token: Record<string, unknown> } {
  const body = structuredClone(keystoneGolden(name).body) as { token: Record<string, unknown> }
  body.token['expires_at'] = expiresAt.toISOString()
  return body
}

/** The document of a token that has these roles in a project, for an hour. */
export function tokenInProject(
  { id, name }: { readonly id: string; readonly name: string },
  roles: readonly string[],
): { token: Record<string, unknown> } {
  const document = tokenEnding('validate-nocatalog-200', inAnHour())
  document.token['project'] = { id, name, domain: { id: 'default', name: 'Default' } }
  document.token['roles'] = roles.map((role) => ({ id: role, name: role }))
  return document
}

export const inAnHour = (): Date => new Date(Date.now() + 3_600_000)

export async function startFakeKeystone(t: Ending): Promise<FakeKeystone> {
  const logins = new Set<string>()
  let count = 0
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const fake: FakeKeystone = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`,
    tokens: new Map(),
    people: new Map(),
    asked: [],
    loginPasswords: [],
    lifeSeconds: 3600,
    trouble: undefined,
    loginRefused: false,
    forgetLogins: () => logins.clear(),
    gate: undefined,
    close: () => closed(server),
  }
  t.after(() => closed(server))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const subject = String(request.headers['x-subject-token'] ?? '')
    fake.asked.push(request.method === 'POST' ? 'POST login' : `${request.method} ${subject}`)
    if (fake.trouble === 'silence') return
    if (typeof fake.trouble === 'number') return void response.writeHead(fake.trouble).end('{"error":{}}')
    if (request.method === 'POST' && !isLogin(request, body)) {
      return void response.writeHead(400).end('{"error":{}}')
    }
    if (request.method === 'POST' && signIn(fake, response, body)) return
    if (request.method === 'POST') return logIn(response)
    if (request.method === 'DELETE') {
      fake.tokens.delete(subject)
      return void response.writeHead(204).end()
    }
    await fake.gate
    if (!logins.has(String(request.headers['x-auth-token']))) {
      return replay(response, keystoneGolden('validate-bad-auth-401'))
    }
    const known = fake.tokens.get(subject)
    if (known === undefined) return replay(response, keystoneGolden('validate-bad-subject-404'))
    replay(
      response,
      { ...keystoneGolden('validate-nocatalog-200'), body: known },
      { 'X-Subject-Token': subject },
    )
  }

  function logIn(response: ServerResponse): void {
    if (fake.loginRefused) return replay(response, keystoneGolden('issue-bad-password-401'))
    count += 1
    const token = `service-${count}`
    logins.add(token)
    const body = tokenEnding('issue-201', new Date(Date.now() + fake.lifeSeconds * 1000))
    replay(response, { ...keystoneGolden('issue-201'), body }, { 'X-Subject-Token': token })
  }
  return fake
}

/** Answers the login of one of the people; whether it is of one. */
function signIn(
  { people, tokens, loginPasswords }: FakeKeystone,
  response: ServerResponse,
  body: string,
): boolean {
  const { auth } = JSON.parse(body) as {
    auth: { identity: { password: { user: { name: string; password: string } } } }
  }
  const { name, password } = auth.identity.password.user
  const known = people.get(name)
  if (known === undefined) {
    loginPasswords.push(password)
    return false
  }
  const document = tokens.get(known.token)
  if (password !== known.password || document === undefined) {
    replay(response, keystoneGolden('issue-bad-password-401'))
    return true
  }
  replay(response, { ...keystoneGolden('issue-201'), body: document }, { 'X-Subject-Token': known.token })
  return true
}

/** As Keystone reads them: announced as JSON, with who logs in and where. */
function isLogin(request: IncomingMessage, body: string): boolean {
  if (request.headers['content-type'] !== 'application/json' || body === '') return false
  const { auth } = JSON.parse(body) as { auth?: { identity?: unknown; scope?: unknown } }
  return auth?.identity !== undefined && auth.scope !== undefined
}

function replay(
  response: ServerResponse,
  golden: KeystoneGolden,
  headers: Record<string, string> = {},
): void {
  const challenge = golden.headers['WWW-Authenticate']
  response.writeHead(golden.status, {
    'Content-Type': 'application/json',
    ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
    ...headers,
  })
  response.end(JSON.stringify(golden.body))
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done())
    server.closeAllConnections()
  })
}
