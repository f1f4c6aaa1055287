import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findBareStream } from '../../../src/probe/bare-stream.ts'

const handle = {
  bind: () => 0,
  bind6: () => 0,
  connect: () => 0,
  connect6: () => 0,
  reset: () => 0,
  close: () => undefined,
  getsockname: (name: { address?: string; port?: number }) => {
    name.address = '127.0.0.1'
    name.port = 40_000
    return 0
  },
  useUserBuffer: () => undefined,
  readStart: () => -107,
  writeBuffer: () => -9,
}
const streams = {
  WriteWrap: function WriteWrap() {
    return {}
  },
  streamBaseState: new Int32Array(5),
  kReadBytesOrError: 0,
  kLastWriteWasAsync: 3,
}

const bindingWith =
  (changedHandle: object, changedStreams: object = {}) =>
  (name: string): unknown =>
    name === 'stream_wrap'
      ? { ...streams, ...changedStreams }
      : {
          TCP: function TCP() {
            return { ...handle, ...changedHandle }
          },
          TCPConnectWrap: function TCPConnectWrap() {
            return {}
          },
          constants: { SOCKET: 0 },
        }

test('bindings with everything that is used are taken, and this runtime has them', () => {
  assert.notEqual(findBareStream(bindingWith({})), undefined)
  assert.notEqual(findBareStream(), undefined)
})

test('a runtime without the bindings, or with other ones, has no bare streams', () => {
  const others: Readonly<Record<string, (name: string) => unknown>> = {
    absent: () => undefined,
    refused: () => {
      throw new Error('access to this API has been restricted')
    },
    'without a bare TCP': bindingWith({ reset: undefined }),
    'without streams': (name) => (name === 'stream_wrap' ? undefined : bindingWith({})(name)),
    'without a place for its own buffer': bindingWith({ useUserBuffer: undefined }),
    'that reads without a connection': bindingWith({ readStart: () => 0 }),
    'that writes without a connection': bindingWith({ writeBuffer: () => 0 }),
    'whose state is elsewhere': bindingWith({}, { streamBaseState: undefined }),
    'whose state has other fields': bindingWith({}, { kReadBytesOrError: 9 }),
    'whose fields are one': bindingWith({}, { kLastWriteWasAsync: 0 }),
  }
  for (const [name, binding] of Object.entries(others)) assert.equal(findBareStream(binding), undefined, name)
})
