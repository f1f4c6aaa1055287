/** The core of HTTP probes in plain text, for its tests: opened over the calls of a test, and probed by hand. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { ProbeResult } from '../../src/domain/result/probe-result.ts'
import type { HttpRequest, ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { BatchCore } from '../../src/probe/batch/core.ts'
import { BodyPatterns } from '../../src/probe/http/body-pattern.ts'
import { RenderedRequests } from '../../src/probe/http/http-request.ts'
import { makePlainHttp } from '../../src/probe/http/plain/plain-http.ts'
import { findStreamCalls, type StreamCalls } from '../../src/probe/http/plain/stream-calls.ts'
import { HostAddresses } from '../../src/probe/socket-errors.ts'
import { SourcePorts } from '../../src/probe/source-ports.ts'
import { IdleRoom } from '../../src/probe/wire/idle-room.ts'
import { probeByCore } from './core-probe.ts'
import { probeHttp } from './probers.ts'
import { targetOf, until } from './probing.ts'

export const parts = {
  hostAddresses: new HostAddresses(),
  sourcePorts: new SourcePorts(),
  requests: new RenderedRequests(),
  bodyPatterns: new BodyPatterns(),
  idleRoom: new IdleRoom(),
}
export const HTTP: HttpRequest = {
  method: 'GET',
  path: '/',
  version: '1.1',
  host: 'x',
  expectedCodes: [{ from: 200, to: 204 }],
}
export const TARGET: ProbeTarget = {
  type: 'HTTP',
  address: '127.0.0.1',
  family: 4,
  port: 1,
  timeoutMs: 2000,
  http: HTTP,
}
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
/** Open descriptors of this process. */
export const descriptors = (): number => readdirSync('/proc/self/fd').length

/** The calls of this host; skips the test where there are none. */
export function real(t: TestContext): StreamCalls | undefined {
  const calls = findStreamCalls()
  if (calls === undefined) t.skip('no system calls here')
  return calls
}

export function opened(t: TestContext, calls: StreamCalls, more: Partial<typeof parts> = {}) {
  const plain = makePlainHttp({ ...parts, ...more }, () => calls)
  t.after(() => plain.close())
  const core = plain.coreOf(TARGET) ?? assert.fail(JSON.stringify(plain.way))
  return { plain, core, probe: probeByCore((target) => plain.coreOf(target), probeHttp) }
}

export const httpTarget = (server: Server, more: Partial<ProbeTarget> = {}): ProbeTarget =>
  targetOf(server, { ...TARGET, ...targetOf(server), type: 'HTTP', timeoutMs: 2000, ...more })

/** Answers each request with what `text` gives, in pieces of `bytes`. */
export function answering(text: () => string, then: (socket: Socket) => void = (socket) => socket.end()) {
  return (socket: Socket): void => {
    socket.once('data', () => {
      socket.write(text(), 'latin1')
      then(socket)
    })
  }
}

/** Probes a slot once, by hand. */
export async function once(
  core: BatchCore,
  slot: number,
): Promise<{ result: ProbeResult; isLikeBefore: boolean }> {
  core.start(Int32Array.of(slot), 1, performance.now())
  await until(() => {
    core.collect(performance.now())
    return core.ended.count > 0
  })
  const told = { result: core.resultOf(0), isLikeBefore: core.ended.hasPassed(0) }
  core.ended.clear()
  return told
}
