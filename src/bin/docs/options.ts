/**
 * `npm run docs:options`: writes the schemas of options into openapi.yaml, and their reference into docs/options.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { withOptionReference } from '../../api/schema/option-reference.ts'
import { withOptionSchemas } from '../../api/schema/option-schemas.ts'

const rewrite = (file: string, current: (document: string) => string): void =>
  writeFileSync(file, current(readFileSync(file, 'utf8')))

rewrite('openapi.yaml', withOptionSchemas)
rewrite('docs/options.md', withOptionReference)
