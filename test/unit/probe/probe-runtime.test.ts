import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProbeTarget } from '../../../src/domain/target/probe-target.ts'
import { HostAddresses } from '../../../src/probe/socket-errors.ts'
import { SourcePorts } from '../../../src/probe/source-ports.ts'
import { BodyPatterns } from '../../../src/probe/http/body-pattern.ts'
import { RenderedRequests } from '../../../src/probe/http/http-request.ts'
import { makePlainHttp } from '../../../src/probe/http/plain/plain-http.ts'
import { ProbeRuntime } from '../../../src/probe/probe-runtime.ts'
import { makePlainTcp } from '../../../src/probe/tcp/plain/plain-tcp.ts'
import { IdleRoom } from '../../../src/probe/wire/idle-room.ts'

const TARGET = { address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1000 } as const
const TCP: ProbeTarget = { ...TARGET, type: 'TCP' }
const HTTP: ProbeTarget = {
  ...TARGET,
  type: 'HTTP',
  http: { method: 'GET', path: '/', version: '1.1', host: 'x', expectedCodes: [] },
}

test('a prober makes plain probes by the batch wherever this host can', (t) => {
  const parts = {
    hostAddresses: new HostAddresses(),
    sourcePorts: new SourcePorts(),
    idleRoom: new IdleRoom(),
    requests: new RenderedRequests(),
    bodyPatterns: new BodyPatterns(),
  }
  const runtime = new ProbeRuntime()
  t.after(() => runtime.close())
  for (const [target, alone, ofRuntime] of [
    [TCP, makePlainTcp(parts), runtime.plainTcp],
    [HTTP, makePlainHttp(parts), runtime.plainHttp],
  ] as const) {
    t.after(() => alone.close())
    if (alone.coreOf(target) === undefined) {
      t.skip(`not by the batch here: ${JSON.stringify(alone.way)}`)
      continue
    }
    assert.notEqual(ofRuntime.coreOf(target), undefined, JSON.stringify(ofRuntime.way))
  }
})
