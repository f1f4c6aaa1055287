import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePasswd } from '../../../../src/runtime/embedded/account.ts'

test('accounts are read from passwd lines; negative ids wrap, and what is no account is left out', () => {
  const text = '# comment\nroot:x:0:0:root:/root:/bin/sh\nnobody:*:-2:-2::/:/bin/false\n+\nbad:x:y:z::/:\n\n'
  assert.deepEqual(parsePasswd(text), [
    { name: 'root', uid: 0, gid: 0 },
    { name: 'nobody', uid: 4_294_967_294, gid: 4_294_967_294 },
  ])
})
