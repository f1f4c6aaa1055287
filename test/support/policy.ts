/** The policies of all dialects and of what is outside of them, as one. */
import { DIALECTS } from '../../src/api/dialects.ts'
import { policyOf } from '../../src/identity/policy.ts'
import type { PolicyRule } from '../../src/identity/policy-rule.ts'
import { OWN_POLICY } from '../../src/identity/policy-table.ts'

export const POLICY: readonly PolicyRule[] = [
  ...new Set([...DIALECTS.flatMap(({ policy }) => policy), ...OWN_POLICY]),
]
export const ruleFor = policyOf(POLICY)
