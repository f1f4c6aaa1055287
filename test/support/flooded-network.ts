/**
 * A prober, and what two projects let it probe, each in a namespace: an attacker, whose hosts flood whoever probes them, and a
 * bystander, of whose hosts of each family one lives, one may die, and one is dead from the beginning.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { FloodKind } from './flooder.ts'
import type { FloodedCheck, FloodedLine } from './flooded-prober.ts'
import { makeNamespace, type Namespace } from './network-namespace.ts'

const MAC = '02:00:00:00:78:0'
/** All servers of both hosts have this port, in namespaces of their own. */
const PORT = 7077
const LIVE = 2
const DYING = 3
const DEAD = 4
const HOSTS = { calm: { 4: '10.77.0', 6: 'fd77:' }, hostile: { 4: '10.78.0', 6: 'fd78:' } } as const
const SERVER = `
const { createServer } = require('node:net')
const { createSocket } = require('node:dgram')
const listening = JSON.parse(process.argv[1]).flatMap((host) => {
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  udp.on('message', (message, { port, address }) => udp.send(message, port, address))
  return [
    new Promise((resolve) => createServer((socket) => socket.destroy()).listen(${PORT}, host, resolve)),
    new Promise((resolve) => udp.bind(${PORT}, host, resolve)),
  ]
})
Promise.all(listening).then(() => console.log('listening'))
process.stdin.on('end', () => process.exit()).resume()`

export type Verdict = Extract<FloodedLine, { readonly what: 'verdict' }>
type Counts = Extract<FloodedLine, { readonly what: 'counts' }>
type Child = ChildProcessByStdio<Writable, Readable, null>

export interface FloodedNetwork {
  /** All verdicts so far. */
  readonly verdicts: readonly Verdict[]
  readonly counts: () => Promise<Counts>
  /** The attacker's hosts flood from now on. */
  readonly flood: () => Promise<() => void>
  /** The bystander's dying hosts answer nothing any more. */
  readonly kill: () => void
}

type Kind = Pick<ProbeTarget, 'timeoutMs'> & Partial<ProbeTarget> & { readonly type: FloodKind }

/** `kind`: what all targets have. Undefined, with the test skipped and the reason, where this cannot be made here. */
export async function makeFloodedNetwork(
  t: TestContext,
  kind: Kind,
  { intervalMs, fall, buffers }: Pick<FloodedCheck, 'intervalMs' | 'fall'> & { readonly buffers: string },
): Promise<FloodedNetwork | undefined> {
  const near = makeNamespace(t)
  const calm = near && makeNamespace(t)
  const hostile = calm && makeNamespace(t)
  if (near === undefined || calm === undefined || hostile === undefined) return undefined
  join(near, calm, 'calm')
  join(near, hostile, 'hostile')
  await serving(t, calm, 'calm', [LIVE, DYING, DEAD])
  const silence = (host: number): void => {
    for (const family of [4, 6] as const)
      calm.run(`ip -${family} rule add from ${addressOf('calm', family, host)} blackhole`)
  }
  silence(DEAD)
  const verdicts: Verdict[] = []
  const checks = checksOf(kind, { intervalMs, fall })
  const counts = probing(t, near, [buffers, JSON.stringify(checks)], verdicts)
  const { unavailable } = await counts()
  if (unavailable !== false) {
    t.skip(unavailable)
    return undefined
  }
  return {
    verdicts,
    counts,
    flood: async () => {
      const children: Child[] = []
      for (const family of [4, 6] as const) {
        const own = [kind.type, String(family), addressOf('hostile', family, 2), String(PORT)]
        children.push(await started(t, hostile, [support('flooder.js'), ...own]))
      }
      return () => {
        for (const child of children) child.kill('SIGKILL')
      }
    },
    kill: () => silence(DYING),
  }
}

/** Of each family: the attacker's, and the bystander's three. */
function checksOf(kind: Kind, every: Pick<FloodedCheck, 'intervalMs' | 'fall'>): readonly FloodedCheck[] {
  const target = (of: keyof typeof HOSTS, family: 4 | 6, host: number): ProbeTarget => ({
    ...kind,
    address: addressOf(of, family, host),
    family,
    port: kind.type === 'PING' ? 0 : PORT,
  })
  return ([4, 6] as const).flatMap((family) =>
    (
      [
        ['attacker', target('hostile', family, 2)],
        ['live', target('calm', family, LIVE)],
        ['dying', target('calm', family, DYING)],
        ['dead', target('calm', family, DEAD)],
      ] as const
    ).map(([name, of]) => ({
      member: `${name} ${family}`,
      project: name === 'attacker' ? 'attacker' : 'bystander',
      target: of,
      ...every,
    })),
  )
}

function support(file: string): string {
  return fileURLToPath(new URL(`./${file}`, import.meta.url))
}

function addressOf(of: keyof typeof HOSTS, family: 4 | 6, host: number): string {
  return `${HOSTS[of][family]}${family === 4 ? '.' : ':'}${host}`
}

/** A cable from the prober (host 1) to the others. */
function join(near: Namespace, far: Namespace, of: keyof typeof HOSTS): void {
  const mac = (end: number): string => `${MAC}${of === 'calm' ? end : end + 2}`
  near.run(
    `ip link add ${of} address ${mac(1)} type veth peer name cable address ${mac(2)} netns ${far.name}`,
  )
  for (const [namespace, device, hosts, others] of [
    [near, of, [1], [LIVE, DYING, DEAD]],
    [far, 'cable', [LIVE, DYING, DEAD], [1]],
  ] as const) {
    for (const host of hosts)
      namespace.run(
        `ip addr add ${addressOf(of, 4, host)}/24 dev ${device}; ip -6 addr add ${addressOf(of, 6, host)}/64 dev ${device} nodad`,
      )
    namespace.run(`ip link set ${device} up`)
    // The first question for a neighbour over IPv6 may be lost, and the next one comes after a second.
    for (const other of others)
      namespace.run(
        `ip -6 neigh add ${addressOf(of, 6, other)} lladdr ${mac(other === 1 ? 1 : 2)} dev ${device} nud permanent`,
      )
  }
}

async function serving(
  t: TestContext,
  namespace: Namespace,
  of: keyof typeof HOSTS,
  hosts: readonly number[],
): Promise<void> {
  const addresses = hosts.flatMap((host) => [addressOf(of, 4, host), addressOf(of, 6, host)])
  await started(t, namespace, ['-e', SERVER, JSON.stringify(addresses)])
}

/** Starts a program of Node's in a namespace, which says when it is ready. */
async function started(t: TestContext, namespace: Namespace, args: readonly string[]): Promise<Child> {
  const child = spawned(t, namespace, args)
  await once(child.stdout, 'data')
  return child
}

function spawned(t: TestContext, { within }: Namespace, args: readonly string[]): Child {
  const [command, ...before] = [...within, process.execPath]
  const child = spawn(command, [...before, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  return child
}

/** The prober: its verdicts go to `verdicts`; what is returned asks for its counts. */
function probing(
  t: TestContext,
  near: Namespace,
  args: readonly string[],
  verdicts: Verdict[],
): () => Promise<Counts> {
  const child = spawned(t, near, [support('flooded-prober.js'), ...args])
  const waiting: ((counts: Counts) => void)[] = []
  createInterface(child.stdout).on('line', (text) => {
    const line = JSON.parse(text) as FloodedLine
    if (line.what === 'verdict') verdicts.push(line)
    else waiting.shift()?.(line)
  })
  return async () => {
    const answer = new Promise<Counts>((resolve) => waiting.push(resolve))
    child.stdin.write('counts\n')
    return await answer
  }
}
