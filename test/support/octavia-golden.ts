/**
 * The world of one golden case: what its placeholders name, made through the API before the request is sent. What a
 * recorded answer shows of an object, and the request does not change, the object has before.
 */
import { readFileSync } from 'node:fs'
import type { Api, Json } from './api.ts'
import { SUBNET } from './api-objects.ts'
import { force, made, OCTAVIA } from './octavia.ts'

export interface Golden {
  readonly case: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: Json
    /** The body as it was sent, when it is no object. */
    readonly raw?: string
  }
  readonly status: number
  readonly body: Json
}

const { cases } = JSON.parse(readFileSync('test/vectors/octavia-golden-cases.json', 'utf8')) as {
  readonly cases: readonly Golden[]
}
export const GOLDENS = cases

/** The project of the recorded session. */
export const RECORDED_PROJECT = '2c5b3f1e6d9b4d0e8f0b1f0c1a2b3c4d'

/** Pools of the session: name, protocol, algorithm. */
const POOLS: Readonly<Record<string, readonly [string, string, string]>> = {
  '<pool>': ['po1', 'HTTP', 'ROUND_ROBIN'],
  '<pool2>': ['po2', 'HTTP', 'ROUND_ROBIN'],
  '<poolsctp>': ['posctp', 'SCTP', 'SOURCE_IP'],
  '<pooludp>': ['poudp', 'UDP', 'ROUND_ROBIN'],
  '<pooltcp>': ['potcp', 'TCP', 'SOURCE_IP_PORT'],
  '<free>': ['free', 'HTTP', 'ROUND_ROBIN'],
}

/** Monitors of the session: pool and type. */
const MONITORS: Readonly<Record<string, readonly [string, string]>> = {
  '<hm>': ['<pool>', 'HTTP'],
  '<hm2>': ['<pool2>', 'HTTP'],
  '<hmudp>': ['<pooludp>', 'UDP-CONNECT'],
  '<hmtcp>': ['<pooltcp>', 'TCP'],
  '<hmsctp>': ['<poolsctp>', 'SCTP'],
}

/** Members of the session: pool and address. */
const MEMBERS: Readonly<Record<string, readonly [string, string, number]>> = {
  '<member>': ['<pool>', '192.0.2.10', 8080],
  '<member2>': ['<pool>', '192.0.2.11', 8080],
  '<member6>': ['<pool>', '2001:db8::10', 8080],
}

const MONITOR_KEYS =
  'name type delay timeout max_retries max_retries_down http_method url_path expected_codes admin_state_up tags http_version domain_name'
const MEMBER_KEYS =
  'name address protocol_port weight backup subnet_id admin_state_up monitor_address monitor_port tags'
const POOL_KEYS = 'name description protocol lb_algorithm session_persistence admin_state_up tags'
const LOAD_BALANCER_KEYS = 'name description vip_address vip_subnet_id tags admin_state_up'

/** What the session had besides, and no placeholder names. */
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  'hm-list_fields_nosuch': Object.keys(MONITORS),
  'lb-delete-has-children': ['<pool>'],
  'member-err-dup': ['<member>'],
  'member-err-loopback': ['<hm>'],
  'member-err-vip-address': ['<hm>'],
  'member-list-after-batch': ['<hm2>'],
  'hm-method-get-upper-uuid': ['<hm>'],
}

/** The second pool's members after the batches of the session: address, weight. */
const BATCH_MEMBERS: readonly (readonly [string, number])[] = [
  ['192.0.2.30', 3],
  ['192.0.2.31', 1],
  ['192.0.2.32', 1],
]

export interface World {
  readonly project: string
  /** Placeholder → id. */
  readonly ids: Readonly<Record<string, string>>
}

class Builder {
  readonly #api: Api
  readonly #golden: Golden
  readonly #headers: Readonly<Record<string, string>>
  readonly ids: Record<string, string> = {}

  constructor(api: Api, golden: Golden, project: string) {
    this.#api = api
    this.#golden = golden
    this.#headers = { 'x-project-id': project }
  }

  /** The session that the case was recorded in, as far as the case can see it. */
  async build(): Promise<void> {
    const { request, body, status } = this.#golden
    const text = JSON.stringify([request.path, request.body, body])
    const created =
      request.method === 'POST' && status === 201 ? Object.values(body as object)[0]?.id : undefined
    const named = [...text.matchAll(/<\w+>/g)].map(([name]) => name).filter((name) => name !== created)
    for (const name of new Set([...named, ...(BESIDES[this.#golden.case] ?? [])])) await this.#need(name)
    const hasBatch = this.#golden.case === 'lb-status' || this.#golden.case === 'member-list-after-batch'
    for (const [address, weight] of hasBatch ? BATCH_MEMBERS : []) {
      await this.#make(`pools/${this.ids['<pool2>']}/members`, { address, weight, protocol_port: 80 })
    }
  }

  async #need(name: string): Promise<string> {
    const known = this.ids[name]
    if (known !== undefined) return known
    const id = await this.#created(name)
    if (id !== undefined) this.ids[name] = id
    return id ?? ''
  }

  async #created(name: string): Promise<string | undefined> {
    if (name === '<lb>') {
      return await this.#make('loadbalancers', {
        vip_subnet_id: SUBNET,
        provider: 'noop_driver',
        name: 'lb1',
        ...this.#shown(name, LOAD_BALANCER_KEYS),
      })
    }
    if (name === '<listener>') return await this.#createdListener()
    const pool = POOLS[name]
    if (pool !== undefined) {
      const [poolName, protocol, algorithm] = pool
      return await this.#make('pools', {
        loadbalancer_id: await this.#need('<lb>'),
        name: poolName,
        protocol,
        lb_algorithm: algorithm,
        ...this.#shown(name, POOL_KEYS),
      })
    }
    const monitor = MONITORS[name]
    if (monitor !== undefined) {
      const [poolName, type] = monitor
      const shown = this.#shown(name, MONITOR_KEYS)
      return await this.#make('healthmonitors', {
        pool_id: await this.#need(poolName),
        type,
        delay: 5,
        timeout: 3,
        max_retries: 2,
        ...shown,
      })
    }
    const member = MEMBERS[name]
    if (member === undefined) return undefined
    const [poolName, address, port] = member
    const shown = this.#shown(name, MEMBER_KEYS)
    const path = `pools/${await this.#need(poolName)}/members`
    return await this.#make(path, { address, protocol_port: port, ...shown })
  }

  /** The listener of the session sends its traffic to the second pool. */
  async #createdListener(): Promise<string> {
    const id = await this.#make('listeners', {
      loadbalancer_id: await this.#need('<lb>'),
      name: 'ls1',
      protocol: 'HTTP',
      protocol_port: 80,
      ...(this.#golden.case === 'lb-status' ? { default_pool_id: await this.#need('<pool2>') } : {}),
    })
    return id
  }

  async #make(collection: string, attributes: object): Promise<string> {
    return (await made(this.#api, collection, attributes, this.#headers)).id
  }

  /** What the recorded answer shows of an object, without what the request sets. */
  #shown(name: string, keys: string): Record<string, unknown> {
    const { request, body, status } = this.#golden
    if (status >= 400 || typeof body !== 'object' || body === null) return {}
    const objects = Object.values(body as Record<string, Json>).flat() as Json[]
    const found = objects.find((object) => object?.id === name)
    if (found === undefined) return {}
    const sent = Object.values((request.body ?? {}) as Record<string, Json>)[0] ?? {}
    // Tags that are sent as null stay.
    const isSet = (key: string) =>
      request.method === 'PUT' && key in sent && !(key === 'tags' && sent[key] === null)
    const shown = keys.split(' ').filter((key) => (found[key] ?? null) !== null && !isSet(key))
    return Object.fromEntries(shown.map((key) => [key, found[key]]))
  }
}

/** Builds the world of a case in a project of its own. */
export async function buildWorld(api: Api, golden: Golden, project: string): Promise<World> {
  const builder = new Builder(api, golden, project)
  await builder.build()
  const { ids } = builder
  if (golden.case === 'hm-delete-again' || golden.case === 'hm-get-deleted') {
    const headers = { 'x-project-id': project }
    await api.request('DELETE', `${OCTAVIA}/healthmonitors/${ids['<hm>']}`, undefined, headers)
  }
  if (golden.case.includes('while-pending')) await force(api, 'pool', ids['<pool>'] ?? '', 'PENDING_UPDATE')
  if (golden.case.startsWith('lb-pending'))
    await force(api, 'load_balancer', ids['<lb>'] ?? '', 'PENDING_UPDATE')
  return { project, ids }
}

/**
 * A recorded answer as it is once the write is done, which here is at once: PENDING_x is ACTIVE, and the status of a monitor,
 * which Octavia shows as it was before until its worker is done, follows its switch.
 */
export function settledAnswer<Answer>(answer: Answer): Answer {
  return JSON.parse(JSON.stringify(answer), (name, value: Json) => {
    const isPending = String(value?.provisioning_status).startsWith('PENDING_')
    if (!isPending) return value
    const isMonitor = name === 'healthmonitor' && value.provisioning_status !== 'PENDING_DELETE'
    const own = isMonitor ? { operating_status: value.admin_state_up === true ? 'ONLINE' : 'OFFLINE' } : {}
    return { ...value, provisioning_status: 'ACTIVE', ...own }
  }) as Answer
}
