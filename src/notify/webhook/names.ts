/**
 * Addresses of receivers by their names, as the host resolves them (getaddrinfo: /etc/hosts, search domains, whatever
 * nsswitch.conf says). Such a look-up cannot be ended: while no server of DNS answers, it occupies one of few threads
 * for as long as 30 s, and names that a project chose may all be such. So that others do not wait for them:
 *
 * - An answer is used again for WEBHOOK_NAME_FRESH_MS.
 * - A look-up that takes longer than WEBHOOK_NAME_PATIENCE_MS goes on, and the answer before it is used, unless that is
 *   older than WEBHOOK_NAME_KEPT_MS. If there is none, DNS is asked without a thread, but not for names of /etc/hosts.
 */
import type { LookupAddress } from 'node:dns'
import { lookup, Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import {
  WEBHOOK_CONNECT_MS,
  WEBHOOK_DNS_MS,
  WEBHOOK_DNS_TRIES,
  WEBHOOK_LOOKUPS,
  WEBHOOK_NAME_FRESH_MS,
  WEBHOOK_NAME_KEPT_MS,
  WEBHOOK_NAME_PATIENCE_MS,
  WEBHOOK_NAMES_PER_PROJECT,
} from '../../domain/limits.ts'
import { FairGate } from '../../domain/share/fair-gate.ts'

export type Resolve = (name: string) => Promise<readonly LookupAddress[]>

export interface Resolvers {
  /** As the host does; it cannot be ended. */
  readonly host: Resolve
  /** By DNS alone; it ends within WEBHOOK_DNS_MS × WEBHOOK_DNS_TRIES. */
  readonly dns: Resolve
}

/** Every place for a look-up is taken, and DNS has no answer. */
export class LookupsBusy extends Error {}

interface Answer {
  readonly addresses: readonly string[]
  readonly atMs: number
  readonly isDoubted: boolean
}

export class Names {
  readonly #resolvers: Resolvers
  readonly #gate = new FairGate({ places: WEBHOOK_LOOKUPS, waitingMax: Number.POSITIVE_INFINITY })
  /** By project and name, so that no project can push out what is known for another; the newest is the last. */
  readonly #answers = new Map<string, Map<string, Answer>>()
  /** By project and name: whoever asks for the same name shares the look-up. */
  readonly #running = new Map<string, Promise<readonly string[]>>()

  constructor(resolvers: Resolvers = { host: byHost, dns: byDns }) {
    this.#resolvers = resolvers
  }

  /** Throws errors of the resolver, and LookupsBusy. */
  async addressesOf(projectKey: string, name: string): Promise<readonly string[]> {
    const known = this.#answers.get(projectKey)?.get(name)
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : performance.now() - known.atMs
    if (known?.isDoubted === false && ageMs < WEBHOOK_NAME_FRESH_MS) return known.addresses
    const looking = this.#lookUp(projectKey, name)
    const first = await settledWithin(WEBHOOK_NAME_PATIENCE_MS, looking)
    if (first === 'late' && known !== undefined && ageMs < WEBHOOK_NAME_KEPT_MS) return known.addresses
    if (first !== 'late') return await looking
    try {
      return await Promise.any([looking, this.#askDns(name)])
    } catch {
      return await looking
    }
  }

  /** No address of a name took a connection: it is resolved again the next time. */
  doubt(projectKey: string, name: string): void {
    const answers = this.#answers.get(projectKey)
    const known = answers?.get(name)
    if (known !== undefined) answers?.set(name, { ...known, isDoubted: true })
  }

  /** Forgets what is known for projects that are not among these. */
  keepOnly(projectKeys: ReadonlySet<string>): void {
    for (const key of this.#answers.keys()) if (!projectKeys.has(key)) this.#answers.delete(key)
  }

  #lookUp(projectKey: string, name: string): Promise<readonly string[]> {
    const key = JSON.stringify([projectKey, name])
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const looking = this.#lookUpInTurn(projectKey, name).finally(() => this.#running.delete(key))
    // It may end when nobody waits for it any more.
    looking.catch(() => undefined)
    this.#running.set(key, looking)
    return looking
  }

  async #lookUpInTurn(projectKey: string, name: string): Promise<readonly string[]> {
    const isAdmitted = await this.#gate.enter(projectKey, (expire) => {
      const timer = setTimeout(expire, WEBHOOK_CONNECT_MS)
      return () => clearTimeout(timer)
    })
    if (!isAdmitted) throw new LookupsBusy('other look-ups of names took too long')
    // The look-up occupies its thread until it ends, even if nobody waits for it any more.
    try {
      const addresses = (await this.#resolvers.host(name)).map(({ address }) => address)
      this.#keep(projectKey, name, addresses)
      return addresses
    } finally {
      this.#gate.leave(projectKey)
    }
  }

  #keep(projectKey: string, name: string, addresses: readonly string[]): void {
    const answers = this.#answers.get(projectKey) ?? new Map<string, Answer>()
    this.#answers.set(projectKey, answers)
    answers.delete(name)
    answers.set(name, { addresses, atMs: performance.now(), isDoubted: false })
    const [oldest] = answers.keys()
    if (answers.size > WEBHOOK_NAMES_PER_PROJECT && oldest !== undefined) answers.delete(oldest)
  }

  async #askDns(name: string): Promise<readonly string[]> {
    const addresses = (await this.#resolvers.dns(name)).map(({ address }) => address)
    if (addresses.length === 0) throw new Error('DNS has no address')
    return addresses
  }
}

const byHost: Resolve = (name) => lookup(name, { all: true, verbatim: true })

const byDns: Resolve = async (name) => {
  if (await isInHostsFile(name)) return []
  const resolver = new Resolver({ timeout: WEBHOOK_DNS_MS, tries: WEBHOOK_DNS_TRIES })
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  return answers.flatMap((answer) =>
    answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: isIP(address) })) : [],
  )
}

/** A name there has the addresses that stand there (hosts(5)), whatever DNS says: only the host may resolve it. */
async function isInHostsFile(name: string): Promise<boolean> {
  const text = await readFile('/etc/hosts', 'utf8').catch(() => '')
  const wanted = name.toLowerCase()
  return text.split('\n').some((line) => {
    const [, ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    return names.some((each) => each.toLowerCase() === wanted)
  })
}

/** Whether it ended in time, in whatever way. */
async function settledWithin(ms: number, work: Promise<unknown>): Promise<'settled' | 'late'> {
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve('late'), ms)
    const settled = (): void => {
      clearTimeout(timer)
      resolve('settled')
    }
    work.then(settled, settled)
  })
}
