import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { nkeys } from '@nats-io/transport-node'
import {
  AccessRefusal,
  issueCredentials,
  removeSites,
  rewriteAccounts,
  sitesOf,
} from '../../../../src/site/access/access-folder.ts'
import { proberPublishes, proberSubscribes } from '../../../../src/site/subjects.ts'

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-nats-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Every file below the folder, with its text. */
function content(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  const files = names.filter((name) => statSync(join(folder, name)).isFile())
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

interface SigningKey {
  readonly key: string
  readonly role: string
  readonly template: {
    readonly pub?: { readonly allow: readonly string[] }
    readonly sub?: { readonly allow: readonly string[] }
    readonly allowed_connection_types: readonly string[]
  }
}

interface Claims {
  readonly iss: string
  readonly sub: string
  readonly name: string
  readonly nats: {
    readonly type: string
    readonly issuer_account?: string
    readonly signing_keys?: readonly SigningKey[]
  }
}

/** The claims of a token; throws when its issuer has not signed it. */
function verified(token: string): Claims {
  const [header = '', body = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
  const isSigned = nkeys
    .fromPublic(claims.iss)
    .verify(Buffer.from(`${header}.${body}`), Buffer.from(signature, 'base64url'))
  assert.ok(isSigned, claims.name)
  return claims
}

const tokensIn = (text: string): readonly Claims[] =>
  [...text.matchAll(/\b(eyJ[\w-]+\.[\w-]+\.[\w-]+)/g)].map(([, token = '']) => verified(token))

test('the operator signs accounts, the accounts name the keys that sign users, and the users are of their site', (t) => {
  const folder = emptyFolder(t)
  issueCredentials(folder, ['fra', 'ams'], false)
  const files = content(folder)
  const [operator, system, ...accounts] = tokensIn(files['accounts.conf'] ?? '')
  assert.equal(operator?.nats.type, 'operator')
  assert.equal(operator.iss, operator.sub)
  assert.equal(system?.name, 'SYS')
  assert.deepEqual(
    accounts.map(({ name, iss }) => [name, iss]),
    [
      ['fra', operator.sub],
      ['ams', operator.sub],
    ],
  )
  for (const { name: site, sub: account, nats } of accounts) {
    const credentials = [`sites/${site}/prober.creds`, `sites/${site}/leaf.creds`, `relay/${site}.creds`]
    const users = credentials.map((file) => tokensIn(files[file] ?? '')[0])
    assert.deepEqual(
      users.map((user) => [user?.nats.issuer_account, user?.iss]),
      nats.signing_keys?.map(({ key }) => [account, key]),
    )
  }
})

test('a prober and a leaf node may do what a prober does, in both forms of the API; the relay everything', (t) => {
  const folder = emptyFolder(t)
  issueCredentials(folder, ['fra'], false)
  const account = tokensIn(content(folder)['accounts.conf'] ?? '').find(({ name }) => name === 'fra')
  const [prober, leafNode, relay] = account?.nats.signing_keys ?? []
  for (const role of [prober, leafNode]) {
    const rights = new Set([...proberPublishes('fra'), ...proberPublishes('fra', '$JS.API')])
    assert.deepEqual(new Set(role?.template.pub?.allow), rights)
    assert.deepEqual(role?.template.sub?.allow, proberSubscribes('fra'))
  }
  assert.deepEqual(prober?.template.allowed_connection_types, ['STANDARD'])
  assert.deepEqual(leafNode?.template.allowed_connection_types, ['LEAFNODE', 'LEAFNODE_WS'])
  assert.equal(relay?.template.pub, undefined)
})

test('secrets are readable by their owner alone, and accounts.conf has none', (t) => {
  const folder = emptyFolder(t)
  issueCredentials(folder, ['fra'], false)
  for (const [name, text] of Object.entries(content(folder))) {
    const isSecret = /\bS[OAU][A-Z2-7]{56}\b/.test(text)
    assert.equal(isSecret, name.endsWith('.creds') || name === 'keys.json', name)
    assert.equal(statSync(join(folder, name)).mode & 0o777, isSecret ? 0o600 : 0o644, name)
  }
})

test('a further site and a new version leave what is there as it was; new credentials replace the old ones', (t) => {
  const folder = emptyFolder(t)
  issueCredentials(folder, ['fra'], false)
  const before = content(folder)
  issueCredentials(folder, ['ams'], false)
  rewriteAccounts(folder)
  const after = content(folder)
  for (const file of [
    'sites/fra/prober.creds',
    'sites/fra/leaf.creds',
    'sites/fra/leaf-users.conf',
    'relay/fra.creds',
  ])
    assert.equal(after[file], before[file])
  const operator = /operator: (\S+)/
  assert.equal(
    operator.exec(after['accounts.conf'] ?? '')?.[1],
    operator.exec(before['accounts.conf'] ?? '')?.[1],
  )

  issueCredentials(folder, ['fra'], true)
  const renewed = content(folder)
  const accountOf = (files: Readonly<Record<string, string>>) =>
    tokensIn(files['accounts.conf'] ?? '').find(({ name }) => name === 'fra')
  assert.equal(
    accountOf(renewed)?.sub,
    accountOf(after)?.sub,
    'what NATS keeps for the site is still its own',
  )
  const [old] = tokensIn(after['sites/fra/prober.creds'] ?? '')
  const keys = accountOf(renewed)?.nats.signing_keys?.map(({ key }) => key) ?? []
  assert.equal(keys.length, 3)
  assert.ok(!keys.includes(old?.iss ?? ''))
  assert.ok(keys.includes(tokensIn(renewed['sites/fra/prober.creds'] ?? '')[0]?.iss ?? ''))
})

test('a site that is removed has no account and no credentials', (t) => {
  const folder = emptyFolder(t)
  issueCredentials(folder, ['fra', 'ams'], false)
  removeSites(folder, ['fra'])
  assert.deepEqual(sitesOf(folder), ['ams'])
  assert.deepEqual(
    Object.keys(content(folder)).filter((name) => name.includes('fra')),
    [],
  )
  assert.deepEqual(
    tokensIn(content(folder)['accounts.conf'] ?? '').map(({ name }) => name),
    ['healthmonitor', 'SYS', 'ams'],
  )
})

test('what is refused changes nothing', (t) => {
  const folder = emptyFolder(t)
  const missing = join(folder, 'missing')
  for (const act of [rewriteAccounts, sitesOf]) assert.throws(() => act(missing), AccessRefusal)
  assert.throws(() => removeSites(missing, ['fra']), AccessRefusal)
  assert.throws(() => issueCredentials(missing, ['fra'], true), AccessRefusal)
  assert.equal(existsSync(missing), false)

  issueCredentials(folder, ['fra'], false)
  const before = content(folder)
  assert.throws(() => issueCredentials(folder, ['ams', 'fra'], false), /has the site fra/)
  assert.throws(() => issueCredentials(folder, ['fra', 'nyc'], true), /no site nyc/)
  assert.throws(() => removeSites(folder, ['fra', 'nyc']), /no site nyc/)
  assert.deepEqual(content(folder), before)

  for (const text of [
    '',
    '[]',
    '{"operatorSeed": "SO"}',
    before['keys.json']?.replace('"account"', '"other"') ?? '',
  ]) {
    writeFileSync(join(folder, 'keys.json'), text)
    assert.throws(() => issueCredentials(folder, ['ams'], false), /is not a file of/)
    assert.equal(readFileSync(join(folder, 'keys.json'), 'utf8'), text)
  }
})
