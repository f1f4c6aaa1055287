/**
 * A network of two hosts: a namespace for the prober, on 10.77.0.1 and fd77::1, and one for what it probes, on 10.77.0.2
 * and fd77::2, joined by a cable.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { makeNamespace, type Namespace } from './network-namespace.ts'
import type { Answer, Question } from './ways-child.ts'

export interface TwoHosts {
  readonly near: Namespace
  readonly far: Namespace
  /** Of servers in the far namespace. */
  readonly port: number
  readonly ask: (target: Partial<ProbeTarget>, ways?: Question['ways']) => Promise<Answer>
}

const MAC = '02:00:00:00:77:0'
const CHILD = fileURLToPath(new URL('./ways-child.js', import.meta.url))

/** `kind`: what all targets have. Undefined, with the test skipped and the reason, where such probes are not made by the batch. */
export async function makeTwoHosts(
  t: TestContext,
  kind: Pick<ProbeTarget, 'type'> & Partial<ProbeTarget>,
): Promise<TwoHosts | undefined> {
  const near = makeNamespace(t)
  const far = near && makeNamespace(t)
  if (near === undefined || far === undefined) return undefined
  near.run(`ip link add cable address ${MAC}1 type veth peer name cable address ${MAC}2 netns ${far.name}`)
  for (const [namespace, own, other] of [
    [near, 1, 2],
    [far, 2, 1],
  ] as const) {
    namespace.run(`ip addr add 10.77.0.${own}/24 dev cable; ip -6 addr add fd77::${own}/64 dev cable nodad`)
    namespace.run('ip link set cable up')
    // The first question for a neighbour over IPv6 may be lost, and the next one comes after a second.
    namespace.run(`ip -6 neigh add fd77::${other} lladdr ${MAC}${other} dev cable nud permanent`)
  }
  const port = await far.serve(t, ['10.77.0.2', 'fd77::2'])
  const ask = askerIn(t, near, kind)
  const isReady = await ask({ port }, 'batch')
  if (isReady.unavailable !== false) {
    t.skip(isReady.unavailable)
    return undefined
  }
  return { near, far, port, ask: (target, ways) => ask({ port, ...target }, ways) }
}

function askerIn(t: TestContext, { within }: Namespace, kind: Partial<ProbeTarget>): TwoHosts['ask'] {
  const [command, ...args] = [...within, process.execPath, CHILD]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => void child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return async (target, ways = 'all') => {
    const whole = { address: '10.77.0.2', family: 4, port: 1, timeoutMs: 2000, ...kind, ...target }
    child.stdin.write(`${JSON.stringify({ target: whole, ways })}\n`)
    const { value, done } = await lines.next()
    if (done === true) throw new Error('the prober has ended')
    return JSON.parse(value) as Answer
  }
}

/** Asserts that all ways say the same, and returns it. */
export async function alike(
  { ask }: TwoHosts,
  target: Partial<ProbeTarget>,
): Promise<readonly [reason: string, detail: string]> {
  const { seen } = await ask(target)
  const [first, ...others] = seen.map(({ reason, detail }) => [reason, detail] as const)
  assert.ok(first)
  for (const other of others) assert.deepEqual(other, first, JSON.stringify(target))
  return first
}

/** Runs a command that this host may not know; undefined, with the test skipped and the reason, where it fails. */
export function tryIn(t: TestContext, namespace: Namespace, command: string): true | undefined {
  try {
    namespace.run(command)
    return true
  } catch (error) {
    t.skip(`${command} cannot be run here: ${(error as Error).message}`)
    return undefined
  }
}

/** A target of the near host, and what a probe of it means: its reason and its detail. */
export type Meaning = readonly [target: Partial<ProbeTarget>, reason: string, detail: string]

/**
 * Asserts what is said, by all ways, of targets that the near host cannot send to: without a route, with a route that says no, and
 * behind its own firewall. `call`: what fails, as details name it; `protocol`: as iptables names it.
 */
export async function assertCannotSend(
  t: TestContext,
  net: TwoHosts,
  {
    call,
    protocol,
    further,
  }: { readonly call: string; readonly protocol: string; readonly further: readonly Meaning[] },
): Promise<void> {
  const { near } = net
  for (const [kind, third] of [
    ['unreachable', 1],
    ['prohibit', 2],
    ['blackhole', 3],
  ] as const)
    near.run(`ip route add ${kind} 10.99.${third}.0/24`)
  const cases: readonly Meaning[] = [
    [{ address: '192.0.2.1' }, 'CONNECT_UNREACHABLE', `${call} ENETUNREACH`],
    [{ address: '10.99.1.1' }, 'CONNECT_UNREACHABLE', `${call} EHOSTUNREACH`],
    [{ address: '10.99.2.1' }, 'PROBER_FORBIDDEN', `${call} EACCES`],
    [{ address: '2001:db8::1', family: 6 }, 'CONNECT_UNREACHABLE', `${call} ENETUNREACH`],
    ...further,
  ]
  for (const [target, ...meaning] of cases) assert.deepEqual(await alike(net, target), meaning)
  if (tryIn(t, near, `iptables -A OUTPUT -d 10.77.0.2 -p ${protocol} -j DROP`) === undefined) return
  assert.deepEqual(await alike(net, {}), ['PROBER_FORBIDDEN', `${call} EPERM`])
}
